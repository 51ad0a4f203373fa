"""Children of this node: start them, notice their end within a fraction of a second, stop them, leave no orphan.

A child dies with the launcher (PR_SET_PDEATHSIG), is stopped by its process group's id, and its output is its log.
"""
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from areal_lite.launch.placement import Process

_libc = ctypes.CDLL("libc.so.6", use_errno=True) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
GRACE_S = 15.0


def named_gpus(outer: str) -> list[str]:
    """The GPUs (numbers or UUIDs) that a CUDA_VISIBLE_DEVICES names; none stands for all."""
    return [name.strip() for name in outer.split(",") if name.strip()]


def visible(gpus: tuple[int, ...], outer: str) -> str:
    """CUDA_VISIBLE_DEVICES for these of a node's GPUs, counted among those that `outer` names.

    ValueError when it names too few.
    """
    names = named_gpus(outer)
    if names and len(names) <= max(gpus, default=-1):
        raise ValueError(f"CUDA_VISIBLE_DEVICES={outer} names {len(names)} GPUs, and this needs GPU number {max(gpus)}, counted from 0; "
                         "ask for fewer, or make more of them visible")
    return ",".join(names[g] if names else str(g) for g in gpus)


@dataclass
class Child:
    """A started process."""
    spec: Process
    popen: subprocess.Popen
    log: Path
    restart: int
    started: float


class Children:
    """This node's processes of one attempt at a stage."""

    def __init__(self, stage_dir: Path, environment: dict[str, str]):
        self.stage_dir, self.environment = stage_dir, environment
        self.running: dict[str, Child] = {}

    def start(self, spec: Process, extra: tuple[str, ...] = (), restart: int = 0) -> None:
        """Start one process; its stdout and stderr go to logs/NAME.log."""
        log = self.stage_dir / "logs" / f"{spec.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **self.environment, "PYTHONUNBUFFERED": "1"}
        if spec.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = visible(spec.gpus, os.environ.get("CUDA_VISIBLE_DEVICES", ""))
        if spec.cpus:
            environment["AREAL_LITE_CPUS"] = ",".join(map(str, spec.cpus))
        words = [sys.executable, "-m", spec.module, str(self.stage_dir), *spec.arguments, *extra]
        with open(log, "a") as out:
            out.write(f"--- {time.strftime('%F %T')} {' '.join(words[1:])}\n")
            out.flush()
            popen = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment,
                                     start_new_session=True, preexec_fn=prepare(os.getpid()))
        self.running[spec.name] = Child(spec, popen, log, restart, time.monotonic())

    def ended(self) -> list[tuple[Child, int]]:
        """Children that have ended since the last call, with their exit status; they are no longer running."""
        gone = [(c, c.popen.returncode) for c in self.running.values() if c.popen.poll() is not None]
        for child, _ in gone:
            del self.running[child.spec.name]
            _signal_group(child, signal.SIGKILL)           # whatever a dead server left behind
        return gone

    def stop(self, names: list[str] | None = None) -> None:
        """SIGTERM, then SIGKILL after GRACE_S, to the process groups of the named children (all by default)."""
        chosen = [c for n, c in self.running.items() if names is None or n in names]
        for child in chosen:
            _signal_group(child, signal.SIGTERM)
        end = time.monotonic() + GRACE_S
        for child in chosen:
            try:
                child.popen.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                pass
            _signal_group(child, signal.SIGKILL)
            child.popen.wait()
            self.running.pop(child.spec.name, None)


def last_words(log: Path, lines: int = 12) -> str:
    """The end of a child's log, indented, for an error message."""
    try:
        with open(log, errors="replace") as source:
            text = source.read()[-20_000:].splitlines()
    except OSError as error:
        return f"    (its log cannot be read: {error})"
    return "\n".join(f"    {line[:300]}" for line in text[-lines:])


def how_it_ended(status: int) -> str:
    """An exit status in words."""
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}"


def prepare(launcher: int):
    """What runs in a child between fork and exec: it dies with the launcher."""
    def run() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != launcher:
            os._exit(1)                                    # the launcher died in between
    return run


def _signal_group(child: Child, what: signal.Signals) -> None:
    try:
        os.killpg(child.popen.pid, what)
    except (ProcessLookupError, PermissionError):
        pass
