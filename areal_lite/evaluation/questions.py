"""Benchmark files -> Questions. Every question keeps its number for good, whatever is skipped or asked beside it.

Nothing is dropped silently: a row without a gold, or a prompt that leaves no room for an answer, is an error.
"""
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from areal_lite.dataset import Dataset, load_rows
from areal_lite.types import Prompt

NO_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a benchmark, ready to be asked."""
    benchmark: str
    k: int
    """Ticket number: from the benchmark's name and the row number, so that seeds do not depend on what else is asked."""
    prompt: Prompt
    problem: str


def find(word: str, data: str) -> tuple[str, Path]:
    """(name, file) of a benchmark: DATA/NAME/test.*, DATA/NAME.*, or a path to any file. ValueError says what there is."""
    path = Path(word)
    if path.is_file():
        return (path.parent.name if path.stem in ("test", "train") else path.stem), path
    for kind in ("jsonl", "json", "parquet"):
        for file in (Path(data) / word / f"test.{kind}", Path(data) / f"{word}.{kind}"):
            if file.is_file():
                return word, file
    there = sorted({p.parent.name for p in Path(data).glob("*/test.*")} | {p.stem for p in Path(data).glob("*.json*")})
    raise ValueError(f"no benchmark {word!r} in data={data!r}: give a directory with {word}/test.jsonl or {word}.jsonl; "
                     f"it has {', '.join(there) or 'none'}")


def load(words: Sequence[str], data: str, model: str, template: str, limit: int) -> list[Question]:
    """The questions of every benchmark, in the order given, tokenised by the model's tokenizer. ValueError on bad rows."""
    questions: list[Question] = []
    for word in words:
        name, file = find(word, data)
        rows = load_rows(str(file))[:limit or None]
        if bad := [r.where for r in rows if not r.answers]:
            raise ValueError(f"{len(bad)} rows of {name} have no gold answer: {', '.join(bad[:3])}")
        if name in {q.benchmark for q in questions}:
            raise ValueError(f"two benchmarks are called {name}; name each file differently")
        rendered = Dataset(rows, model, template=template, max_prompt_tokens=NO_LIMIT)
        base = zlib.crc32(name.encode()) << 24
        questions += [Question(name, base + i, rendered.at(i), r.text) for i, r in enumerate(rows)]
    return questions
