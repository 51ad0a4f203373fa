"""Result files of an evaluation: where they are, what is read back from them, and the tables made of them.

OUT/MODEL@WEIGHTS/BENCHMARK/SETTINGS.jsonl holds a row per finished question, SETTINGS.json the numbers of the whole
benchmark. Everything else (eval_results.csv, plots, comparisons, the viewer) is made from these two.
"""
import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from areal_lite import record
from areal_lite.evaluation.answers import COLUMNS, right
from areal_lite.evaluation.statistics import Comparison, compare

DIGEST = 9
"""Characters at the end of a SETTINGS stem that name the questions, not a setting."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models' rows for the questions of one benchmark that both have answered, in the same order."""
    benchmark: str
    settings: tuple[str, str]
    first: list[dict]
    second: list[dict]

    def compared(self) -> Comparison:
        """Second against first, by the share of right answers to each question."""
        return compare(*([sum(right(r)) / len(r["samples"]) for r in rows] for rows in (self.first, self.second)))


def mend(file: Path) -> dict[str, dict]:
    """Finished rows by question id. A last line that a kill cut off is removed, so that rows can be added again."""
    rows = {r["id"]: r for r in record.read(file)}
    if file.exists() and file.stat().st_size:
        with open(file, "rb+") as source:
            source.seek(-1, 2)
            if source.read() != b"\n":
                source.seek(0)
                source.truncate(source.read().rfind(b"\n") + 1)
    return rows


def numbers(out: str | Path) -> list[dict]:
    """What every SETTINGS.json below OUT says, by step, model and benchmark; result says which file."""
    found = [{**json.loads(file.read_text()), "result": str(file.with_suffix(".jsonl"))} for file in Path(out).glob("*@*/*/*.json")]
    return sorted(found, key=lambda r: (r["step"], r["model"], r["benchmark"], r["result"]))


def table(found: Sequence[dict]) -> str:
    """SimpleRL-Zoo's eval_results.csv: a row per model and settings, BENCHMARK_COLUMN for each, then avg_COLUMN."""
    rows: dict[tuple[str, str], dict[str, dict]] = {}
    for r in found:
        settings = Path(r["result"]).stem[:-DIGEST]
        rows.setdefault((r["model"], settings), {})[r["benchmark"]] = r["measures"]
    benchmarks = list(dict.fromkeys(r["benchmark"] for r in found))
    text = io.StringIO()
    names = [f"{b}_{c}" for b in (*benchmarks, "avg") for c in COLUMNS]
    writer = csv.DictWriter(text, ["model", "settings", *names], lineterminator="\n")
    writer.writeheader()
    for (model, settings), of in rows.items():
        means = {f"avg_{c}": sum(m[c] for m in of.values()) / len(of) for c in COLUMNS}
        writer.writerow({"model": model, "settings": settings, **{f"{b}_{c}": m[c] for b, m in of.items() for c in COLUMNS}, **means})
    return text.getvalue()


def pairs(first: str | Path, second: str | Path) -> list[Pair]:
    """Benchmarks that two results share; each is a model's result directory or one SETTINGS.jsonl.

    Equal settings are paired; a benchmark with one result on either side is paired whatever its settings are.
    ValueError when nothing is left.
    """
    a, b = _files(first), _files(second)
    out = []
    for benchmark in a.keys() & b.keys():
        same = a[benchmark].keys() & b[benchmark].keys()
        chosen = [(s, s) for s in sorted(same)]
        if not same and len(a[benchmark]) == len(b[benchmark]) == 1:
            chosen = [(*a[benchmark], *b[benchmark])]
        for x, y in chosen:
            left, right_ = _rows(a[benchmark][x]), _rows(b[benchmark][y])
            both = [i for i in left if i in right_]
            if both:
                out.append(Pair(benchmark, (x, y), [left[i] for i in both], [right_[i] for i in both]))
    if not out:
        raise ValueError(f"{first} and {second} share no benchmark: the first has {_said(a)}; the second {_said(b)}")
    return sorted(out, key=lambda p: (p.benchmark, p.settings))


def _rows(file: Path) -> dict[str, dict]:
    rows = list(record.read(file))
    if not all({"id", "samples"} <= row.keys() for row in rows):
        raise ValueError(f"{file} holds no results of an evaluation; give a directory below evaluation/, or one of its jsonl files")
    return {row["id"]: row for row in rows}


def _files(result: str | Path) -> dict[str, dict[str, Path]]:
    """benchmark -> settings -> file."""
    path, found = Path(result), {}
    if not path.exists():
        raise ValueError(f"{path} does not exist; give a model's result directory, or one of its jsonl files")
    for file in [path] if path.is_file() else sorted(path.glob("*/*.jsonl")):
        if "-vs-" not in file.stem:
            found.setdefault(file.parent.name, {})[file.stem] = file
    return found


def _said(files: dict[str, dict[str, Path]]) -> str:
    return ", ".join(f"{b} ({s})" for b, settings in files.items() for s in settings) or "nothing"
