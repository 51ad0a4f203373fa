"""One evaluation from settings to files: what is finished is read back, the rest is asked, everything is written down.

A finished question is one appended line, so a kill loses only questions under way; it names the verifier that graded it.
A lock keeps two evaluations from writing the same model's results.
"""
import fcntl
import os
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
from areal_lite.evaluation.answers import measures, row
from areal_lite.evaluation.grading import VERIFIER, Graders
from areal_lite.evaluation.questions import Question
from areal_lite.evaluation.scheduler import Scheduler
from areal_lite.evaluation.serve import Servers
from areal_lite.evaluation.settings import Checkpoint, Settings


def evaluate(chosen: Settings, say: Callable[[str], None], server: str = "areal_lite.generation") -> list[dict]:
    """Evaluate every checkpoint; write results and eval_results.csv; return the new entries of results.numbers().

    say: gets a line of news now and then. server: module that a server process runs.
    ValueError for what the user has to change, EvaluationFailed when servers do not work.
    """
    models = settings.checkpoints(chosen)
    template, out, done = settings.template(chosen), Path(chosen.out), []
    with Graders(chosen.verifiers) as graders:
        for i, checkpoint in enumerate(models):
            say(f"model {i + 1} of {len(models)}: {checkpoint.label} ({checkpoint.path})")
            one = Measurement(chosen, checkpoint, template, out / checkpoint.directory)
            with locked(out / checkpoint.directory / "lock"):
                one.load(graders, say)
                one.answer(say, server)
                done += one.numbers(graders)
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

    def load(self, graders: Graders, say: Callable[[str], None]) -> None:
        """Read back what is finished; verdicts of another verifier are made anew, and the file with them."""
        self.rows = {name: results.mend(file) for name, file in self.files.items()}
        for name, rows in self.rows.items():
            if stale := [r for r in rows.values() if r.get("verifier") != VERIFIER]:
                say(f"{name}: the verifier has changed; {len(stale)} questions are graded again")
                graders.again(stale, self.chosen.protocol)
                record.write(self.files[name], "".join(dumps(r) + "\n" for r in rows.values()))

    def answer(self, say: Callable[[str], None], server: str) -> None:
        """Have everything answered that has no row yet; every finished question is in its file at once."""
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
            made = {**row(question, answers, text), "verifier": VERIFIER}
            record.append(self.files[question.benchmark], made)
            self.rows[question.benchmark][question.prompt.id] = made

        def news(what: str) -> None:
            done = sum(map(len, self.rows.values())) - finished
            say(f"{done} of {len(todo)} questions answered in {time.monotonic() - began:.0f} s; {what}")

        servers.answer(Scheduler(todo, self.chosen.n, self.checkpoint.step), keep, news)
        news(f"{servers.delivered:,} tokens")

    def numbers(self, graders: Graders) -> list[dict]:
        """Compute and write every benchmark's numbers; all its questions must be answered."""
        entries = []
        for name, file in self.files.items():
            rows = [self.rows[name][q.prompt.id] for q in self.questions[name]]
            entry = {"model": self.directory.name, "path": self.checkpoint.path, "step": self.checkpoint.step,
                     "benchmark": name, "settings": asdict(self.chosen) | {"template": self.template},
                     "measures": measures(rows, graders.same)}
            if second := self.chosen.second:
                otherwise = file.with_name(f"{file.stem}-vs-{second}.jsonl")
                entry["second"] = graders.second(rows, self.chosen.protocol, second, otherwise)
            record.write(file.with_suffix(".json"), dumps(entry, indent=1))
            entries.append({**entry, "result": str(file)})
        return entries


@contextmanager
def locked(file: Path):
    """Hold the file's lock; ValueError when another process does. The kernel lets go of it when we die."""
    with open(file, "w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"another evaluation is writing {os.path.dirname(file)}; wait for it or choose another out=") from None
        yield
