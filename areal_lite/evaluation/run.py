"""One evaluation from settings to files: what is finished is read back, the rest is asked, everything is written down.

A finished question is one appended line, so a kill loses only questions under way. A lock keeps two evaluations from
writing the same model's results.
"""
import fcntl
import os
import re
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from json import dumps
from pathlib import Path

import numpy as np

from areal_lite import record
from areal_lite.dataset import load_tokenizer
from areal_lite.evaluation import questions, results, settings
from areal_lite.evaluation.answers import measures, right, row
from areal_lite.evaluation.questions import Question
from areal_lite.evaluation.scheduler import Scheduler
from areal_lite.evaluation.serve import Servers
from areal_lite.evaluation.settings import Checkpoint, Settings
from areal_lite.rewards.pool import VerifierPool

GRADE_S, GRADE_MB = 5.0, 2048
TAIL = 400
WHOLE = re.compile(r"-?\d{1,9}")


def evaluate(chosen: Settings, say: Callable[[str], None], server: str = "areal_lite.generation") -> list[dict]:
    """Evaluate every checkpoint; write results and eval_results.csv; return the new entries of results.numbers().

    say: gets a line of news now and then. server: module that a server process runs.
    ValueError for what the user has to change, EvaluationFailed when servers do not work.
    """
    models = settings.checkpoints(chosen)
    template, out, done = settings.template(chosen), Path(chosen.out), []
    with Same() as same:
        for i, checkpoint in enumerate(models):
            say(f"model {i + 1} of {len(models)}: {checkpoint.label} ({checkpoint.path})")
            one = Measurement(chosen, checkpoint, template, out / checkpoint.directory)
            with locked(out / checkpoint.directory / "lock"):
                one.answer(say, server)
                done += one.numbers(same)
            record.write(out / "eval_results.csv", results.table(results.numbers(out)))
    return done


class Measurement:
    """One model's questions and its result files."""

    def __init__(self, chosen: Settings, checkpoint: Checkpoint, template: str, directory: Path):
        self.chosen, self.checkpoint, self.template, self.directory = chosen, checkpoint, template, directory
        self.questions: dict[str, list[Question]] = {}
        for q in questions.load(chosen.benchmarks, chosen.data, checkpoint.path, template, chosen.limit):
            self.questions.setdefault(q.benchmark, []).append(q)
        self.files = {name: directory / name / f"{settings.file_name(chosen, template, asked)}.jsonl"
                      for name, asked in self.questions.items()}
        for file in self.files.values():
            file.parent.mkdir(parents=True, exist_ok=True)
        self.rows: dict[str, dict[str, dict]] = {}
        """benchmark -> question id -> its row, once it is finished"""

    def answer(self, say: Callable[[str], None], server: str) -> None:
        """Have everything answered that has no row yet; every finished question is in its file at once."""
        self.rows = {name: results.mend(file) for name, file in self.files.items()}
        todo = [q for name, asked in self.questions.items() for q in asked if q.prompt.id not in self.rows[name]]
        finished = sum(map(len, self.questions.values())) - len(todo)
        say(f"{finished} questions are finished already; {len(todo)} to answer")
        if not todo:
            return
        stage = settings.stage(self.chosen, self.checkpoint.path, todo)
        place = self.directory.parent / "servers" / self.directory.name
        servers, began = Servers(stage, place, self.chosen.hang_s, server), time.monotonic()
        tokenizer, end = load_tokenizer(self.checkpoint.path)

        def text(ids: np.ndarray) -> str:
            return tokenizer.decode(ids[:-1 if len(ids) and ids[-1] == end else None].tolist(), skip_special_tokens=True)

        def keep(question: Question, answers: list) -> None:
            made = row(question, answers, text)
            record.append(self.files[question.benchmark], made)
            self.rows[question.benchmark][question.prompt.id] = made

        def news(what: str) -> None:
            done = sum(map(len, self.rows.values())) - finished
            say(f"{done} of {len(todo)} questions answered in {time.monotonic() - began:.0f} s; {what}")

        servers.answer(Scheduler(todo, self.chosen.n, self.checkpoint.step), keep, news)
        news(f"{servers.tokens:,.0f} tokens")

    def numbers(self, same: Callable[[str, str], bool]) -> list[dict]:
        """Compute and write every benchmark's numbers; all its questions must be answered."""
        entries = []
        for name, file in self.files.items():
            rows = [self.rows[name][q.prompt.id] for q in self.questions[name]]
            entry = {"model": self.directory.name, "path": self.checkpoint.path, "step": self.checkpoint.step,
                     "benchmark": name, "settings": asdict(self.chosen) | {"template": self.template},
                     "measures": measures(rows, same)}
            if second := self.chosen.second:
                entry["second"] = second_grade(self.chosen, rows, file.with_name(f"{file.stem}-vs-{second}.jsonl"))
            record.write(file.with_suffix(".json"), dumps(entry, indent=1))
            entries.append({**entry, "result": str(file)})
        return entries


def second_grade(chosen: Settings, rows: list[dict], file: Path) -> dict:
    """Grade every answer again, write those on which the graders disagree, and say how many."""
    pool = VerifierPool(chosen.verifiers, GRADE_S, GRADE_MB, chosen.second)
    try:
        verdicts = [[pool.submit(s["text"], r["answers"], s["finish"]) for s in r["samples"]] for r in rows]
        graded = [[v.result() for v in of] for of in verdicts]
    finally:
        pool.close()
    lines = [{"id": r["id"], "sample": i, "answers": r["answers"], chosen.protocol: [s["outcome"], s["answer"]],
              chosen.second: [v.outcome, v.extracted], "tail": s["text"][-TAIL:]}
             for r, of in zip(rows, graded, strict=True)
             for i, (s, v, ok) in enumerate(zip(r["samples"], of, right(r), strict=True)) if v.correct != ok]
    record.write(file, "".join(dumps(line) + "\n" for line in lines))
    total = sum(map(len, graded))
    return {"protocol": chosen.second, "acc": 100 * sum(v.correct for of in graded for v in of) / total,
            "answers": total, "disagreements": len(lines), "file": str(file)}


class Same:
    """Whether two extracted answers are equal, by our verifier in its killable pool; started when first needed."""

    def __init__(self):
        self._pool: VerifierPool | None = None
        self._known: dict[tuple[str, str], bool] = {}

    def __call__(self, a: str, b: str) -> bool:
        if WHOLE.fullmatch(a) and WHOLE.fullmatch(b):
            return int(a) == int(b)
        if (a, b) not in self._known:
            self._pool = self._pool or VerifierPool(1, GRADE_S, GRADE_MB)
            self._known[a, b] = bool(b.strip()) and self._pool.submit(f"\\boxed{{{a}}}", [b]).result().correct
        return self._known[a, b]

    def __enter__(self) -> "Same":
        return self

    def __exit__(self, *_) -> None:
        if self._pool:
            self._pool.close()


@contextmanager
def locked(file: Path):
    """Hold the file's lock; ValueError when another process does. The kernel lets go of it when we die."""
    with open(file, "w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"another evaluation is writing {os.path.dirname(file)}; wait for it or choose another out=") from None
        yield
