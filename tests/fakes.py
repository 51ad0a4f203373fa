"""Stand-ins with the real faces, deterministic: an engine without vLLM, and a spoke that only remembers.

`python -m tests.fakes STAGE_DIR --index I --restart R` is a whole generation server around the fake engine: all of
areal_lite.generation but vLLM. The environment variable AREAL_LITE_FAKE holds FakeEngine's keyword arguments as JSON.
"""
import asyncio
import json
import os
import sys
from collections.abc import Callable
from functools import partial

from areal_lite.generation.__main__ import main
from areal_lite.types import Heartbeat, Hello, Loaded, Trajectory
from benchmarks.fakes import FakeEngine

__all__ = ["FakeEngine", "FakeSpoke"]


class FakeSpoke:
    """Spoke's sending face, in memory: what was sent, in order, and what the next heartbeat would say."""

    def __init__(self):
        self.sent: list[object] = []
        self.note, self.totals = "", {}
        self._news = asyncio.Event()

    def send(self, message: Hello | Loaded | Trajectory | Heartbeat) -> None:
        """Remember it."""
        self.sent.append(message)
        self._news.set()

    def doing(self, note: str) -> None:
        """Remember it."""
        self.note = note

    def counters(self, totals: dict[str, float]) -> None:
        """Remember them."""
        self.totals = dict(totals)

    def of(self, kind: type) -> list:
        """Messages of one kind, in order."""
        return [m for m in self.sent if isinstance(m, kind)]

    async def until(self, enough: Callable[["FakeSpoke"], object], timeout_s: float = 60.0) -> None:
        """Return when enough(self) holds; TimeoutError after timeout_s."""
        async with asyncio.timeout(timeout_s):
            while not enough(self):
                self._news.clear()
                await self._news.wait()


if __name__ == "__main__":
    main(sys.argv[1:], partial(FakeEngine, **json.loads(os.environ.get("AREAL_LITE_FAKE", "{}"))))
