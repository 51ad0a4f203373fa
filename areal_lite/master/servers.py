"""The generation servers as the scheduler sees them: what each holds and owes, and which of them has most room.

Consumes nothing and waits for nothing; the scheduler tells it of every change.
"""
import heapq
from dataclasses import dataclass, field, replace

from areal_lite.types import Ticket, Trajectory


@dataclass
class Server:
    """A generation server that has not been declared lost."""
    capacity: int
    version: int = -1
    """Newest version it has loaded; -1 until it reports one."""
    loading: int = -1
    """Version it was told to load and has not acknowledged."""
    tickets: dict[tuple[str, int], Ticket] = field(default_factory=dict)
    """(purpose, k) -> the samples it still owes."""
    owed: int = 0
    """Samples in those."""
    generated: int = 0
    delivered: int = 0

    @property
    def free(self) -> int:
        """Samples it could start now."""
        return self.capacity - self.owed

    def ended(self, version: int) -> None:
        """Its loading of this version has ended, well or not."""
        if self.loading == version:
            self.loading = -1

    def give(self, ticket: Ticket) -> None:
        """It owes these samples from now on."""
        self.tickets[ticket.purpose, ticket.k] = ticket
        self.owed += len(ticket.samples)

    def settle(self, t: Trajectory) -> Ticket | None:
        """Cross the sample off; returns the ticket it was asked with, None when this server does not owe it."""
        ticket = self.tickets.get((t.purpose, t.k))
        if ticket is None or ticket.attempt != t.attempt or t.sample not in ticket.samples:
            return None
        self.owed -= 1
        if left := tuple(s for s in ticket.samples if s != t.sample):
            self.tickets[t.purpose, t.k] = replace(ticket, samples=left)
        else:
            del self.tickets[t.purpose, t.k]
        return ticket


class Room:
    """The server with most room in O(log n): a heap in which every change is a new entry and outdated ones are skipped."""

    def __init__(self, servers: dict[str, Server]):
        self.servers = servers
        self.heap: list[tuple[int, str]] = []

    def changed(self, peer: str) -> None:
        """A server's free places or version changed."""
        heapq.heappush(self.heap, (-self.servers[peer].free, peer))
        if len(self.heap) > 64 + 4 * len(self.servers):
            self.heap = [(-s.free, p) for p, s in self.servers.items()]
            heapq.heapify(self.heap)

    def most(self, version: int) -> tuple[int, str]:
        """(free places, name) of the emptiest server that holds this version or a newer one; (0, "") if none does."""
        while self.heap:
            free, peer = self.heap[0]
            server = self.servers.get(peer)
            if server and server.free == -free and server.version >= version:
                return -free, peer
            heapq.heappop(self.heap)           # outdated, or not ready: it says so itself when it has loaded
        return 0, ""
