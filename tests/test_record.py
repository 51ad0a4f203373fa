"""Rows of a run directory survive whatever cuts them off."""
import pytest

from areal_lite import record


def test_rows_are_read_as_they_were_added_and_a_missing_file_has_none(tmp_path):
    file = tmp_path / "rows.jsonl"
    assert list(record.read(file)) == []
    for n in range(3):
        record.append(file, {"n": n, "text": "line\nbreak"})
    assert list(record.read(file)) == [{"n": n, "text": "line\nbreak"} for n in range(3)]


@pytest.mark.parametrize("cut", ["{", '{"n": 1, "text": "' + "x" * 200_000, '{"n": 1}'])
@pytest.mark.parametrize("before", [0, 2])
def test_a_row_cut_off_by_a_kill_is_not_read_and_gone_with_the_next_one(tmp_path, cut, before):
    file, whole = tmp_path / "rows.jsonl", [{"n": -n} for n in range(before)]
    for row in whole:
        record.append(file, row)
    with open(file, "a") as out:
        out.write(cut)
    assert list(record.read(file)) == whole
    record.append(file, {"n": 2})
    assert list(record.read(file)) == [*whole, {"n": 2}]


def test_rows_that_will_be_made_again_are_taken_back(tmp_path):
    file = tmp_path / "rows.jsonl"
    record.keep(file, lambda row: True)
    assert not file.exists()
    for n in range(5):
        record.append(file, {"step": n})
    record.keep(file, lambda row: row["step"] < 3)
    record.append(file, {"step": 3})
    assert [row["step"] for row in record.read(file)] == [0, 1, 2, 3]
