"""Which server answers what next: a state machine without socket, clock or randomness. Message in, messages out.

A server that says Hello is told to serve the weights it started with; once it has Loaded it gets tickets for as many
answers as it has free places, the most idle one first. What a lost server owed is asked again before anything new. A
question is finished when its last answer is here; `finished` holds such until the driver takes them.
"""
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from areal_lite.evaluation.questions import Question
from areal_lite.types import Hello, Loaded, Stop, Ticket, Trajectory, Update

Outgoing = list[tuple[str, object]]


@dataclass
class Server:
    """A generation server that is here."""
    capacity: int
    ready: bool = False
    owes: set[tuple[int, int]] = field(default_factory=set)
    """(k, sample)"""

    @property
    def free(self) -> int:
        """Answers it could start now."""
        return self.capacity - len(self.owes) if self.ready else 0


class Scheduler:
    """Call on(peer, message) and lost(peer); send what they return."""

    def __init__(self, questions: Iterable[Question], samples: int, version: int = 0):
        """samples: answers to each question. version: what the tokens are stamped with."""
        self.version, self.samples = version, samples
        self.servers: dict[str, Server] = {}
        self.open: dict[int, tuple[Question, dict[int, Trajectory]]] = {q.k: (q, {}) for q in questions}
        self.waiting = deque((k, sample) for k in self.open for sample in range(samples))
        self.finished: list[tuple[Question, list[Trajectory]]] = []

    @property
    def done(self) -> bool:
        """Every question is finished."""
        return not self.open

    def on(self, peer: str, message: object) -> Outgoing:
        """Hello, Loaded and Trajectory; anything else is not for an evaluation and is a ValueError."""
        match message:
            case Hello(role="generation"):
                self._take_back(peer)          # it was started again under its old name
                self.servers[peer] = Server(message.capacity)
                return [(peer, Update(self.version, "", ""))]
            case Loaded() | Trajectory() if peer not in self.servers:
                return [(peer, Stop("declared lost: its answers were given to others"))]
            case Loaded():
                self.servers[peer].ready = True
            case Trajectory():
                self._arrived(peer, message)
            case _:
                raise ValueError(f"{peer} sent {type(message).__name__}, which an evaluation does not take")
        return self._issue()

    def lost(self, peer: str) -> Outgoing:
        """A server is gone: others answer what it owed."""
        self._take_back(peer)
        return self._issue()

    def _take_back(self, peer: str) -> None:
        if server := self.servers.pop(peer, None):
            self.waiting.extendleft(sorted(server.owes, reverse=True))

    def _arrived(self, peer: str, t: Trajectory) -> None:
        owes = self.servers[peer].owes
        if (t.k, t.sample) not in owes:
            return                             # an answer that somebody else was asked for in the meantime
        owes.remove((t.k, t.sample))
        question, answers = self.open[t.k]
        answers[t.sample] = t
        if len(answers) == self.samples:
            del self.open[t.k]
            self.finished.append((question, list(answers.values())))

    def _issue(self) -> Outgoing:
        out: Outgoing = []
        while self.waiting:
            free, peer = max(((s.free, p) for p, s in self.servers.items()), default=(0, ""))
            if not free:
                break
            k, samples = self.waiting[0][0], []
            while self.waiting and self.waiting[0][0] == k and len(samples) < free:
                samples.append(self.waiting.popleft()[1])
            self.servers[peer].owes.update((k, sample) for sample in samples)
            out.append((peer, Ticket(k, self.open[k][0].prompt, tuple(samples), 0, "evaluate")))
        return out
