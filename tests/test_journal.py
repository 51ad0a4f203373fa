"""The journal: what went in comes out, in order, whatever a kill, a bit or a disk did to the file."""
import os

import numpy as np

from areal_lite.master.journal import Journal
from areal_lite.types import Trajectory

P = 4
FACTS = {"seed": 1}


def answer(k, sample=0, tokens=3):
    ids = np.arange(tokens, dtype=np.int32) + k
    return Trajectory(k, 0, sample, "train", np.array([k, 7], np.int32), ids, -ids.astype(np.float32) / 3, ids // 2, "stop", 5.0,
                      "correct", str(k), 0.5)


def journal(root, facts=FACTS, limit=1 << 30):
    return Journal(root, facts, P, limit)


def same(a, b):
    return all(np.array_equal(x, y) and type(x) is type(y) for x, y in
               zip((getattr(a, f) for f in a.__slots__), (getattr(b, f) for f in b.__slots__), strict=True))


def written(root, answers):
    j = journal(root)
    for t in answers:
        j.append(t)
    return next(root.glob("*"))


def test_another_process_reads_the_answers_of_a_step_and_later_ones_in_their_order(tmp_path):
    answers = [answer(5), answer(9, tokens=0), answer(4, 1), answer(1), answer(8)]
    written(tmp_path, answers)
    got = journal(tmp_path).read(step=1)
    assert [t.k for t in got] == [5, 4, 9, 8]
    assert all(same(t, next(a for a in answers if a.k == t.k)) for t in got)


def test_what_a_kill_cut_off_is_left_out_and_later_records_follow_the_whole_ones(tmp_path):
    directory = written(tmp_path, [answer(0), answer(1), answer(2)])
    file = directory / "step-00000000"
    file.write_bytes(file.read_bytes()[:-5])
    again = journal(tmp_path)
    assert [t.k for t in again.read(0)] == [0, 1]
    again.append(answer(3))
    assert [t.k for t in journal(tmp_path).read(0)] == [0, 1, 3]


def test_a_flipped_bit_anywhere_never_becomes_a_wrong_answer(tmp_path):
    file = written(tmp_path, [answer(0), answer(1)]) / "step-00000000"
    whole = file.read_bytes()
    for at in range(0, len(whole), 7):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1:])
        got = journal(tmp_path).read(0)
        assert [t.k for t in got] == ([0] if at >= len(whole) // 2 else []) and all(same(t, answer(t.k)) for t in got)


def test_many_steps_without_a_checkpoint_do_not_use_up_the_open_files(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    j = journal(tmp_path)
    for k in (*range(P * 100), 3):
        j.append(answer(k))
    assert len(os.listdir("/proc/self/fd")) - before <= 20
    assert [t.k for t in journal(tmp_path).read(0)] == [0, 1, 2, 3, 3, *range(4, P * 100)]


def test_answers_of_another_configuration_are_removed(tmp_path):
    written(tmp_path, [answer(0)])
    assert journal(tmp_path, {"seed": 2}).read(0) == [] and not list(tmp_path.glob("*"))


def test_steps_that_every_checkpoint_is_past_are_removed_and_make_room(tmp_path):
    j = journal(tmp_path, limit=1000)
    for k in range(40):
        j.append(answer(k))
    kept = len(journal(tmp_path).read(0))
    assert 0 < kept < 40 and sum(f.stat().st_size for f in tmp_path.glob("*/*")) <= 1000 + 16 * kept
    j.retire(5)
    for k in range(40, 44):
        j.append(answer(k))
    assert [t.k for t in journal(tmp_path).read(0)] == [40, 41, 42, 43]


def test_a_disk_that_refuses_ends_the_journal_with_a_reason_and_not_the_run(tmp_path):
    (tmp_path / "in the way").write_text("")
    j = journal(tmp_path / "in the way")
    j.append(answer(0))
    assert "cannot be written" in j.off
    j.append(answer(1))


def test_a_limit_of_zero_writes_nothing(tmp_path):
    j = journal(tmp_path, limit=0)
    j.append(answer(0))
    assert j.off and not list(tmp_path.glob("*")) and j.read(0) == []
