"""The slow path: a maintained LaTeX parser and sympy, for what reader.py does not read (sums, integrals, limits).

It runs in one child process of this process (sympy_worker.py), started when first needed, killed and started again
when it exceeds the time it was given. Any thread may call; they take turns.
"""

import os
import re
import threading
import time

from areal_lite.rewards.process import Child

MAX_CHARACTERS = 300
HEAVY = re.compile(r"\d{7,}|\*\*|\^\{?[^{}^]*\^")
COMMAND = re.compile(r"\\[A-Za-z]")


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

    def ready(self) -> Child:
        """The child, once it has said that it is ready. After a fork the parent's child is not ours."""
        if self.child is None or self.owner != os.getpid() or self.child.process.poll() is not None:
            self.start()
        if not self.is_ready:
            self.child.wait_ready()
            self.is_ready = True
        return self.child


HELPER = Helper()


def warm_up(memory_mb: int) -> None:
    """Start the child now. `memory_mb`: address space it may add to its start. Raises StartError."""
    HELPER.memory_mb = memory_mb
    with HELPER.lock:
        HELPER.ready()


def same(answer: str, gold: str, deadline: float) -> bool:
    """Equal by sympy before the monotonic `deadline`; False for what it cannot parse, compare or finish."""
    for text in (answer, gold):
        if len(text) > MAX_CHARACTERS or HEAVY.search(text):
            return False
    if not (COMMAND.search(answer) or COMMAND.search(gold)):
        return False
    reply = ask({"answer": answer, "gold": gold}, deadline)
    return reply is not None and reply["same"]


def ask(item: dict, deadline: float) -> dict | None:
    """The child's reply, or None when it did not come before the monotonic `deadline`; the child is then replaced.

    Starting the child does not count against the deadline. Raises StartError when it cannot start.
    """
    if not HELPER.lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
        return None
    try:
        left = deadline - time.monotonic()
        return HELPER.ready().exchange(item, left) if left > 0 else None
    except (TimeoutError, ConnectionError):
        HELPER.start()
        return None
    finally:
        HELPER.lock.release()
