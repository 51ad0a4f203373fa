"""What the master knows by its clock and the scheduler must not: how old a ticket is, how long a server has been quiet.

Every time is passed in, in seconds of one monotonic clock, so this too can be tested without waiting.
"""
from areal_lite.master.scheduler import Scheduler
from areal_lite.types import Ticket

OLDEST = 4
"""Open tickets that are named."""
BLINK_S = 0.02
"""Utilisation is sampled no finer than this."""


class Clocks:
    """Stamps things as they pass."""

    def __init__(self, now: float):
        self.issued: dict[tuple[str, int, int], float] = {}
        """(purpose, k, attempt) of an open ticket -> when it went out first."""
        self.grew: dict[str, tuple[int, float]] = {}
        """Server -> (tokens it has generated, since when it is that many)."""
        self.sampled, self.busy = now, 0.0

    def sent(self, ticket: Ticket, now: float) -> None:
        """A ticket goes out; one that is reissued keeps its age."""
        self.issued.setdefault((ticket.purpose, ticket.k, ticket.attempt), now)

    def sample(self, s: Scheduler, now: float) -> None:
        """Look at the scheduler; call often."""
        if now - self.sampled < BLINK_S:
            return
        if s.servers:
            self.busy += (now - self.sampled) * sum(bool(v.tickets) for v in s.servers.values()) / len(s.servers)
        self.sampled = now
        for peer, server in s.servers.items():
            if self.grew.get(peer, (-1, now))[0] != server.generated:
                self.grew[peer] = (server.generated, now)

    def take_busy(self) -> float:
        """Seconds since the last call in which servers had work, on their average."""
        busy, self.busy = self.busy, 0.0
        return busy

    def quiet_s(self, peer: str, now: float) -> float:
        """How long a server's count of generated tokens has stood still, as its heartbeats tell."""
        return now - self.grew.get(peer, (0, now))[1]

    def oldest(self, s: Scheduler, now: float) -> list[dict]:
        """The tickets that have been out longest, and who owes what of them; oldest first."""
        at = {(t.purpose, t.k, t.attempt): (peer, t) for peer, v in s.servers.items() for t in v.tickets.values()}
        waiting = {(t.purpose, t.k, t.attempt): ("", t) for t in s.reissue}
        self.issued = {key: since for key, since in self.issued.items() if key in at or key in waiting}
        chosen = sorted(self.issued, key=lambda key: (self.issued[key], key))[:OLDEST]
        rows = []
        for key in chosen:
            peer, t = at.get(key) or waiting[key]
            rows.append({"purpose": t.purpose, "k": t.k, "attempt": t.attempt, "peer": peer, "owes": list(t.samples),
                         "age_s": now - self.issued[key]})
        return rows
