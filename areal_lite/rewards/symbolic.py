"""The slow path: a maintained LaTeX parser and sympy, for what reader.py does not read (sums, integrals, limits).

It runs in one child process of this process (sympy_worker.py), started when first needed, killed and started again
when it exceeds the time it was given. Any thread may call; they take turns.
"""

import os
import re
import threading
import time

from areal_lite.rewards.process import START_TIMEOUT_S, Child, StartError
from areal_lite.rewards.verdict import Outcome

CPU_S = 1.0
"""Of the child, for one comparison: a crowded machine delays a verdict but does not change it."""
MAX_CHARACTERS = 300
HEAVY = re.compile(r"\d{7,}|\*\*|\^ ?\{[^{}^]*\^|\^ ?(?:\d+|\\?[A-Za-z]) ?\^|[)}!] ?!|\d{4} ?!")
PROSE = re.compile(r"\bnot\b|(?<![\\A-Za-z])(?<!begin\{)(?<!end\{)[A-Za-z]{4,}")
"""The parser would take its letters for a product."""
COMMAND = re.compile(r"\\[A-Za-z]")


class Undecided(Exception):
    """The child had no reply: "timeout" when its time was over, "crash" when it died. Never a "no"."""

    def __init__(self, outcome: Outcome):
        super().__init__(f"sympy had no answer ({outcome})")
        self.outcome = outcome


class Helper:
    """The child, if there is one, and whose turn it is to talk to it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.child: Child | None = None
        self.is_ready = False
        self.owner = 0
        self.memory_mb = 1024

    def start(self) -> None:
        """Begin a new child without waiting for it."""
        if self.child is not None and self.owner == os.getpid():
            self.child.kill()
        self.child = Child("areal_lite.rewards.sympy_worker", {"memory_mb": self.memory_mb})
        self.is_ready, self.owner = False, os.getpid()

    def ready(self, timeout_s: float) -> Child:
        """The child, once it has said that it is ready. After a fork the parent's child is not ours.

        Raises TimeoutError while it is still starting, StartError when it cannot start.
        """
        if self.child is None or self.owner != os.getpid() or self.child.process.poll() is not None:
            self.start()
        if not self.is_ready:
            hello = self.child.exchange(None, timeout_s)
            if "error" in hello:
                raise StartError(hello["error"])
            self.is_ready = True
        return self.child


HELPER = Helper()


def warm_up(memory_mb: int) -> None:
    """Start the child and wait for it. `memory_mb`: address space it may add to its start. Raises StartError."""
    HELPER.memory_mb = memory_mb
    with HELPER.lock:
        try:
            HELPER.ready(START_TIMEOUT_S)
        except (TimeoutError, ConnectionError) as error:
            raise StartError(f"the sympy process did not start within {START_TIMEOUT_S} s: {error}") from error


def same(answer: str, gold: str, deadline: float) -> bool:
    """Equal by sympy before the monotonic `deadline`; False for what it cannot parse or compare. Raises Undecided."""
    for text in (answer, gold):
        if len(text) > MAX_CHARACTERS or HEAVY.search(text) or PROSE.search(text):
            return False
    if not (COMMAND.search(answer) or COMMAND.search(gold)):
        return False
    return ask({"answer": answer, "gold": gold}, deadline)["same"]


def ask(item: dict, deadline: float, cpu_s: float = CPU_S) -> dict:
    """The child's reply. Undecided when it did not come before the monotonic `deadline` or within `cpu_s` of its CPU.

    A child that was too slow, or died, is replaced; one that is still starting is left to it. Raises StartError.
    """
    if not HELPER.lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
        raise Undecided("timeout")
    try:
        if deadline <= time.monotonic():
            raise Undecided("timeout")
        child = HELPER.ready(deadline - time.monotonic())
        started = child.cpu_seconds()
        while (left := deadline - time.monotonic()) > 0 and child.cpu_seconds() - started < cpu_s:
            try:
                return child.exchange(item, min(left, cpu_s))
            except TimeoutError:
                item = None  # sent; on a crowded machine its CPU is not used up yet
        HELPER.start()
        raise Undecided("timeout")
    except TimeoutError:
        raise Undecided("timeout") from None
    except ConnectionError:
        HELPER.start()
        raise Undecided("crash") from None
    finally:
        HELPER.lock.release()
