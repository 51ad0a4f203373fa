"""Where every generated token went. Counted at the doors and compared with what is physically in the rooms."""
from dataclasses import dataclass


class LedgerError(AssertionError):
    """Tokens were lost or counted twice inside the master; a bug, so the run stops."""


@dataclass
class Ledger:
    """Totals in tokens since the process started."""
    received: int = 0
    """In all trajectories that arrived."""
    taken_back: int = 0
    """Out of the journal of a master before this one, besides those."""
    trained: int = 0
    evaluated: int = 0
    filtered: int = 0
    """In groups a filter rejected."""
    dropped: int = 0
    """In groups too stale to train on; always 0 under the bounded policy."""
    refused: int = 0
    """In duplicates, and in late answers of a server that had been declared lost."""
    lost: int = 0
    """Begun on servers that died, as their last heartbeats counted; generated again by others."""

    def check(self, waiting: int) -> None:
        """waiting: tokens of the trajectories held now. LedgerError unless everything that came in is somewhere."""
        placed = self.trained + self.evaluated + self.filtered + self.dropped + self.refused + waiting
        if placed != self.received + self.taken_back:
            raise LedgerError(f"{self.received} tokens arrived and {self.taken_back} were taken back, but {placed} are accounted for: "
                              f"{self}, {waiting} waiting")
