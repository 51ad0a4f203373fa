"""One verifier process: reads an item, grades it, writes the verdict, until its socket closes or its parent dies.

Started by pool.py as `python -m areal_lite.rewards.worker FD PARENT_PID SETTINGS`. A frame is a 4-byte big-endian length
and that many bytes of JSON. The first frame out says {"ready": true} or {"error": text}. The process dies with its parent
(PR_SET_PDEATHSIG) and may grow by memory_mb of address space over what it holds when ready; past that it reports
{"crash": reason} and exits.
"""

import ctypes
import importlib.util
import json
import math as floats
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

MAX_FRAME = 1 << 28
"""Bytes; a longer one means that the two ends lost each other."""


def send(sock: socket.socket, message: dict) -> None:
    """Write one frame. Lone surrogates travel as JSON escapes."""
    data = json.dumps(message).encode("ascii")
    sock.sendall(struct.pack("!I", len(data)) + data)


def receive(sock: socket.socket) -> dict | None:
    """Read one frame under the socket's own timeout; None when the other end closed."""
    header = read_exactly(sock, 4)
    if header is None:
        return None
    (length,) = struct.unpack("!I", header)
    assert length <= MAX_FRAME, f"frame of {length} bytes"
    data = read_exactly(sock, length)
    return None if data is None else json.loads(data)


def read_exactly(sock: socket.socket, count: int) -> bytes | None:
    parts = []
    while count:
        part = sock.recv(min(count, 1 << 20))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when the thread that started it ends; leave if it already has."""
    pr_set_pdeathsig = 1
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit_memory(extra_mb: int) -> None:
    """Cap the address space at what is mapped now plus `extra_mb` MiB; no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + extra_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def load_function(spec: str) -> Callable[[str, list[str], str], float]:
    """The user's reward function named by `path/file.py:name`. Raises ValueError when there is none."""
    path, _, name = spec.rpartition(":")
    if not path or not Path(path).is_file():
        raise ValueError(f"reward.function={spec!r}: no such file; write path/file.py:name")
    module_spec = importlib.util.spec_from_file_location("reward_function", path)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise ValueError(f"reward.function={spec!r}: {path} has no function {name!r}")
    return function


def score_of(function: Callable, item: dict) -> float:
    score = float(function(item["response"], item["answers"], item["finish"]))
    if not floats.isfinite(score):
        raise ValueError(f"the reward function returned {score}")
    return score


def main(fd: int, parent: int, settings: dict) -> None:
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sock = socket.socket(fileno=fd)
    try:
        from areal_lite.rewards import math, symbolic

        symbolic.warm_up()
        function = load_function(settings["function"]) if settings["function"] else None
    except Exception as error:  # the user's file may fail in any way; the pool raises it in the parent
        send(sock, {"error": f"{type(error).__name__}: {error}"})
        return
    limit_memory(settings["memory_mb"])
    send(sock, {"ready": True})
    while (item := receive(sock)) is not None:
        try:
            verdict = math.grade(item["response"], item["answers"], settings["protocol"])
            score = score_of(function, item) if function else None
        except Exception as error:  # whatever a response provokes is that item's outcome
            send(sock, {"crash": f"{type(error).__name__}: {error}"[:200]})
            return
        send(
            sock,
            {
                "correct": verdict.correct,
                "outcome": verdict.outcome,
                "reason": verdict.reason,
                "extracted": verdict.extracted,
                "boxed": verdict.boxed,
                "score": score,
            },
        )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]))
