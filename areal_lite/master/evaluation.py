"""Evaluation rounds during training: the held-out questions ride to the same servers as tickets of their own.

A round belongs to the version whose arrival opened it. Its tickets go out once that version is live, before training
tickets; a round that an in-flight update overtakes says so, because every trajectory carries its versions.
"""
from collections.abc import Callable
from dataclasses import dataclass, field

from areal_lite.types import Prompt, Ticket, Trajectory


@dataclass
class Round:
    """One pass over the held-out questions."""
    version: int
    first_k: int
    todo: int = 0
    """Next question to send."""
    trajectories: list[Trajectory] = field(default_factory=list)


class EvaluationRounds:
    """Pure like the scheduler. done holds finished rounds until the recorder takes them."""

    def __init__(self, prompt: Callable[[int], Prompt], questions: int, samples: int, every_steps: int):
        """questions 0: no evaluation. every_steps 0: only a stage's first and last version."""
        self.prompt, self.questions, self.samples, self.every_steps = prompt, questions, samples, every_steps
        self.open: list[Round] = []
        self.done: list[Round] = []
        self.next_k = 0
        self.first = True

    @property
    def idle(self) -> bool:
        """No round is under way."""
        return not self.open

    def made(self, version: int, last: bool) -> None:
        """A new version exists; open a round if it is one of those to be measured."""
        due = self.first or last or (self.every_steps > 0 and version % self.every_steps == 0)
        self.first = False
        if due and self.questions and not any(r.version == version for r in self.open):
            self.open.append(Round(version, self.next_k))
            self.next_k += self.questions

    def next_ticket(self, live: int) -> Ticket | None:
        """The next question of a round whose version is live."""
        for r in self.open:
            if r.todo < self.questions and live >= r.version:
                r.todo += 1
                return Ticket(r.first_k + r.todo - 1, self.prompt(r.todo - 1), tuple(range(self.samples)), 0, "evaluate")
        return None

    def arrived(self, t: Trajectory) -> None:
        """File an answer with its round."""
        r = next(r for r in self.open if r.first_k <= t.k < r.first_k + self.questions)
        r.trajectories.append(t)
        if len(r.trajectories) == self.questions * self.samples:
            self.open.remove(r)
            self.done.append(r)
