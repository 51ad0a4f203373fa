"""Verdicts from killable processes: every submitted item gets exactly one outcome, within its deadline.

One minder thread owns one worker process (worker.py): it takes an item from the queue, sends it, and waits at most
timeout_s for the verdict. A worker that is late is killed and the item's outcome is "timeout"; one that dies has
outcome "crash"; either way the next item meets a fresh worker and no item is tried twice. A user's function that raises
is a "crash" too, after which its worker goes on. A worker's death signal follows the thread that started it, which is
why the minder starts it itself and outlives it.
"""

import logging
import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future

from areal_lite.rewards.process import START_TIMEOUT_S, Child, StartError
from areal_lite.rewards.verdict import Verdict

_log = logging.getLogger(__name__)


class VerifierPool:
    """`workers` processes that grade responses under one protocol, or run the user's reward function beside it.

    timeout_s: deadline of one item, counted from when a worker takes it up, not from submit.
    memory_mb: address space a worker may add to what it starts with.
    function: "path/file.py:name", called as name(response, answers, finish) -> float; its value is Verdict.score.
    Raises ValueError when the workers cannot start (the message says why).
    """

    def __init__(self, workers: int, timeout_s: float, memory_mb: int, protocol: str = "ours", function: str = ""):
        if workers < 1 or timeout_s <= 0 or memory_mb < 1:
            raise ValueError(f"VerifierPool needs workers >= 1, timeout_s > 0, memory_mb >= 1; got {workers}, "
                             f"{timeout_s}, {memory_mb}")
        self.timeout_s = timeout_s
        self._settings = {"memory_mb": memory_mb, "protocol": protocol, "function": function}
        self._items: queue.SimpleQueue = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed, self._crashes = "", 0
        self._pending: set[Future] = set()
        self._live: dict[int, Child] = {}
        started: list[Future] = [Future() for _ in range(workers)]
        self._minders = [
            threading.Thread(target=self._mind, args=(n, started[n]), name=f"verifier-{n}", daemon=True)
            for n in range(workers)
        ]
        for minder in self._minders:
            minder.start()
        try:
            for future in started:
                future.result(timeout=START_TIMEOUT_S + 10)
        except (StartError, TimeoutError, OSError) as error:
            self.close()
            raise ValueError(f"the verifier pool could not start: {error}") from error

    def submit(self, response: str, answers: Sequence[str], finish: str = "stop") -> "Future[Verdict]":
        """Queue one response against its golds. Raises RuntimeError after close() or when workers no longer start."""
        future: Future[Verdict] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError(f"the verifier pool {self._closed}")
            self._pending.add(future)
            self._items.put(({"response": response, "answers": list(answers), "finish": finish}, future))
        return future

    def close(self) -> None:
        """Kill the workers and cancel whatever has no verdict yet. Safe to call twice."""
        self._shut("is closed", None)
        for minder in self._minders:
            if minder is not threading.current_thread():
                minder.join(timeout=START_TIMEOUT_S)

    def _shut(self, why: str, error: Exception | None) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = why
            orphans, self._pending = self._pending, set()
            for worker in self._live.values():
                worker.process.kill()
            for _ in self._minders:
                self._items.put(None)
        for future in orphans:
            if error is None and future.cancel():
                future.set_running_or_notify_cancel()  # wakes who waits for it
            elif error is not None and future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _mind(self, number: int, started: Future) -> None:
        worker = None
        try:
            worker = self._start(number)
            started.set_result(None)
            while (entry := self._items.get()) is not None and not self._closed:
                item, future = entry
                if future.cancelled():
                    self._finish(future, None)
                    continue
                reply, alive = self._grade(worker, item)
                if not alive:
                    worker.kill()
                self._finish(future, Verdict(**reply))
                if not alive and not self._closed:
                    worker = self._start(number)
        except (StartError, OSError) as error:
            if not started.done():
                started.set_exception(error)
            self._shut(f"stopped: {error}", RuntimeError(f"the verifier pool stopped: {error}"))
        finally:
            if worker is not None:
                worker.kill()

    def _start(self, number: int) -> Child:
        worker = Child("areal_lite.rewards.worker", self._settings)
        with self._lock:
            self._live[number] = worker
            if self._closed:
                worker.process.kill()
        try:
            worker.wait_ready()
        except StartError:
            worker.kill()
            raise
        return worker

    def _grade(self, worker: Child, item: dict) -> tuple[dict, bool]:
        """The verdict's fields, and whether the worker can take the next item."""
        outcome = "crash"
        try:
            reply = worker.exchange(item, self.timeout_s)
            if "crash" not in reply:
                return reply, True
            reason = reply["crash"]
        except TimeoutError:
            outcome, reason = "timeout", f"no verdict within {self.timeout_s} s"
        except ConnectionError as error:
            reason = str(error)
        return {"correct": False, "outcome": outcome, "reason": reason}, False

    def _finish(self, future: "Future[Verdict]", verdict: Verdict | None) -> None:
        """Give `verdict` unless the future was cancelled or belongs to _shut already."""
        with self._lock:
            ours = future in self._pending and future.set_running_or_notify_cancel()
            self._pending.discard(future)
            if ours and verdict.outcome == "crash":
                self._crashes += 1
                if self._crashes.bit_count() == 1:         # the first, and whenever their number has doubled
                    _log.warning("verifier: answers that crashed: %d; the newest: %s", self._crashes, verdict.reason)
        if ours:
            future.set_result(verdict)
