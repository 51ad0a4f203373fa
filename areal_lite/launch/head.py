"""What node 0 tells the other nodes' launchers: RUN/head.json, a row with a beat that goes on while its launcher lives.

Node 0 writes it every two seconds; the others read it. Nobody compares clocks: a beat that has changed since the last
look is a sign of life, however old the file claims to be.
"""
import json
import threading
import time
import uuid
from pathlib import Path

from areal_lite import record

BEAT_S = 2.0


class Beat:
    """The writing side, on a thread of its own; on a single node it writes nothing."""

    def __init__(self, run_dir: Path, nodes: int):
        self.file = run_dir / "head.json"
        self.row = {"run": uuid.uuid4().hex, "beat": 0, "state": "running", "stage": "", "attempt": 0, "why": ""}
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="beat", daemon=True) if nodes > 1 else None

    def __enter__(self) -> "Beat":
        if self._thread:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._thread.start()
        return self

    def __exit__(self, kind, error, _) -> None:
        if self.row["state"] == "running":
            self.says(state="stopped", why=str(error or ""))
        self._stop.set()
        if self._thread:
            self._thread.join()

    def says(self, **facts: object) -> None:
        """Change the row; the other nodes see it within two seconds."""
        with self._lock:
            self.row |= facts
            self._write()

    def _go_on(self) -> None:
        while not self._stop.wait(BEAT_S):
            with self._lock:
                self._write()

    def _write(self) -> None:
        if self._thread:
            self.row["beat"] += 1
            record.write(self.file, json.dumps(self.row))


class Pulse:
    """The reading side."""

    def __init__(self, run_dir: Path):
        self.file = run_dir / "head.json"
        self._first = self._last = self._read()
        self.heard = time.monotonic()

    def look(self) -> dict | None:
        """The newest row; None until the beat has changed since this node started: what lies there may be an old run's."""
        row = self._read()
        if row and row != self._last:
            self._last, self.heard = row, time.monotonic()
        return self._last if self._last != self._first else None

    @property
    def silent_s(self) -> float:
        """Since the last sign of life, or since this node began to look."""
        return time.monotonic() - self.heard

    def _read(self) -> dict | None:
        try:
            return json.loads(self.file.read_text())
        except OSError:                            # not there yet, or replaced at this moment on a network file system
            return None
