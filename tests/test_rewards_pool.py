"""The pool: one outcome per item, whatever the item does to its worker."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError, wait
from pathlib import Path

import psutil
import pytest

from areal_lite.rewards.pool import VerifierPool

ROOT = Path(__file__).parents[1]
FUNCTION = """
import os, time

def score(response, answers, finish):
    if response == "hang":
        while True:
            pass
    if response == "die":
        os._exit(3)
    if response == "memory":
        return len(bytearray(10**10))
    if response == "raise":
        raise KeyError("x")
    if response == "nan":
        return float("nan")
    return float(response) + (finish == "length") + 10 * len(answers)
"""


@pytest.fixture
def function(tmp_path):
    path = tmp_path / "score.py"
    path.write_text(FUNCTION)
    return f"{path}:score"


@pytest.fixture
def open_pool():
    pools = []

    def make(*arguments, **settings):
        pools.append(VerifierPool(*arguments, **settings))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def test_every_item_gets_its_own_verdict_in_any_mix(open_pool):
    pool = open_pool(2, 5.0, 512)
    futures = [pool.submit(f"\\boxed{{{n}}}", [str(n + n % 3)]) for n in range(400)]
    verdicts = [future.result(timeout=60) for future in futures]
    assert [verdict.correct for verdict in verdicts] == [n % 3 == 0 for n in range(400)]
    assert [verdict.extracted for verdict in verdicts] == [str(n) for n in range(400)]
    assert {verdict.outcome for verdict in verdicts} == {"correct", "wrong"}


def test_each_way_to_fail_is_its_own_outcome_and_the_next_item_is_served(open_pool, function):
    pool = open_pool(1, 1.0, 256, "ours", function)
    seen = []
    for response in ("1", "hang", "2", "die", "memory", "raise", "nan", "3"):
        verdict = pool.submit(response, ["5"], "stop").result(timeout=60)
        seen.append((verdict.outcome, verdict.score))
    assert seen == [
        *(("wrong", 11.0), ("timeout", None), ("wrong", 12.0), ("crash", None)),
        *(("crash", None), ("crash", None), ("crash", None), ("wrong", 13.0)),
    ]


def test_the_reasons_of_a_crash_are_told_apart(open_pool, function):
    pool = open_pool(1, 5.0, 256, "ours", function)
    reasons = [pool.submit(response, ["5"]).result(timeout=60).reason for response in ("memory", "raise", "die")]
    assert reasons == ["MemoryError: ", "KeyError: 'x'", "the verifier process died"]


def test_a_function_that_raises_costs_no_worker_and_its_reason_is_logged_whenever_the_count_has_doubled(open_pool, function, caplog):
    pool, before = open_pool(1, 5.0, 256, "ours", function), set(psutil.Process().children())
    for response in ("raise", "nan", "raise", "raise", "raise"):
        assert pool.submit(response, ["5"]).result(timeout=60).outcome == "crash"
    assert pool.submit("5", ["5"]).result(timeout=60).score == 15.0
    assert set(psutil.Process().children()) == before
    assert [record.getMessage() for record in caplog.records] == [
        "verifier: answers that crashed: 1; the newest: KeyError: 'x'",
        "verifier: answers that crashed: 2; the newest: ValueError: it returned nan",
        "verifier: answers that crashed: 4; the newest: KeyError: 'x'"]


def test_the_function_sees_the_response_the_golds_and_the_finish(open_pool, function):
    pool = open_pool(1, 5.0, 256, "ours", function)
    verdict = pool.submit("2", ["2", "3"], "length").result(timeout=60)
    assert (verdict.correct, verdict.score) == (True, 23.0)


def test_a_row_without_a_gold_is_scored_by_the_function_alone(open_pool, function):
    verdict = open_pool(1, 5.0, 256, "ours", function).submit("2", []).result(timeout=60)
    assert (verdict.correct, verdict.outcome, verdict.score) == (False, "no_answer", 2.0)


def test_items_beside_a_hanging_one_keep_their_labels_and_its_deadline_is_its_own(open_pool, function):
    pool = open_pool(2, 1.0, 256, "ours", function)
    responses = ["hang" if n % 10 == 5 else str(n) for n in range(40)]
    verdicts = [f.result(timeout=120) for f in [pool.submit(r, ["7"]) for r in responses]]
    assert [v.outcome for v in verdicts] == [
        "timeout" if r == "hang" else "correct" if r == "7" else "wrong" for r in responses
    ]
    assert [v.score for v in verdicts] == [None if r == "hang" else float(r) + 10 for r in responses]


def test_a_megabyte_of_text_with_lone_surrogates_passes_through(open_pool):
    verdict = open_pool(1, 10.0, 512).submit("\ud800" * 10**6 + "\\boxed{5}", ["5"]).result(timeout=60)
    assert verdict.outcome == "correct"


def test_close_cancels_what_is_unfinished_and_leaves_no_process(open_pool, function):
    before = set(psutil.Process().children(recursive=True))           # of other tests in this session
    pool = open_pool(2, 60.0, 256, "ours", function)
    children = [child for child in psutil.Process().children(recursive=True) if child not in before]
    assert len(children) >= 2
    futures = [pool.submit("hang", ["5"]) for _ in range(6)]
    pool.close()
    done, unfinished = wait(futures, timeout=30)
    assert len(done) == 6 and not unfinished
    with pytest.raises(CancelledError):
        futures[0].result()
    psutil.wait_procs(children, timeout=30)
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    with pytest.raises(RuntimeError, match="is closed"):
        pool.submit("1", ["5"])


def test_a_cancelled_item_is_skipped_and_the_others_are_served(open_pool, function):
    pool = open_pool(1, 1.0, 256, "ours", function)
    first, second, third = (pool.submit(r, ["5"]) for r in ("hang", "1", "2"))
    assert second.cancel()
    assert first.result(timeout=60).outcome == "timeout"
    assert third.result(timeout=60).score == 12.0


@pytest.mark.parametrize(
    ("spec", "message"),
    [("nowhere.py:f", "no such file"), ("{path}:absent", "no function 'absent'"), ("{path}", "no such file")],
)
def test_a_function_that_cannot_be_loaded_is_the_users_error(function, spec, message):
    with pytest.raises(ValueError, match=message):
        VerifierPool(1, 1.0, 256, "ours", spec.format(path=function.rpartition(":")[0]))


@pytest.mark.parametrize("arguments", [(0, 1.0, 256), (1, 0.0, 256), (1, 1.0, 0)])
def test_impossible_sizes_are_refused(arguments):
    with pytest.raises(ValueError, match="workers >= 1"):
        VerifierPool(*arguments)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's death signal is Linux's")
def test_workers_die_with_their_parent_even_in_the_middle_of_an_item(function):
    script = (
        "import sys, time\n"
        "from areal_lite.rewards.pool import VerifierPool\n"
        "import psutil\n"
        f"pool = VerifierPool(2, 600.0, 256, 'ours', {function!r})\n"
        "futures = [pool.submit('hang', ['5']) for _ in range(2)]\n"
        "print(*[p.pid for p in psutil.Process().children(recursive=True)], flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(children) >= 2
        parent.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + 30
        _, alive = psutil.wait_procs(children, timeout=deadline - time.monotonic())
        assert alive == []
    finally:
        parent.kill()
        parent.wait()
