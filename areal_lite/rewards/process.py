"""A child process that can be killed, and the frames that pass between it and its parent.

A frame is a 4-byte big-endian length and that many bytes of JSON, over a socket pair. The child's first frame says
{"ready": true} or {"error": text}; afterwards it answers each frame with one. It dies with the thread that started it
(PR_SET_PDEATHSIG) and may grow by a given amount of address space over what it holds when ready.
"""

import ctypes
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

START_TIMEOUT_S = 120.0
"""A child may import sympy; on a crowded machine that takes seconds."""
MAX_FRAME = 1 << 28
"""Bytes; a longer one means that the two ends lost each other."""


class StartError(RuntimeError):
    """A child process did not become ready; the message says why."""


def send(sock: socket.socket, message: dict) -> None:
    """Write one frame under the socket's timeout. Lone surrogates travel as JSON escapes."""
    data = json.dumps(message).encode("ascii")
    sock.sendall(struct.pack("!I", len(data)) + data)


def receive(sock: socket.socket, deadline: float | None = None) -> dict | None:
    """Read one frame; None when the other end closed. Raises TimeoutError past the monotonic `deadline`."""
    header = _read_exactly(sock, 4, deadline)
    if header is None:
        return None
    (length,) = struct.unpack("!I", header)
    assert length <= MAX_FRAME, f"frame of {length} bytes"
    data = _read_exactly(sock, length, deadline)
    return None if data is None else json.loads(data)


def _read_exactly(sock: socket.socket, count: int, deadline: float | None) -> bytes | None:
    parts = []
    while count:
        if deadline is not None:
            sock.settimeout(max(0.001, deadline - time.monotonic()))
        part = sock.recv(min(count, 1 << 20))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


class Child:
    """A started `python -m module` and this end of its socket."""

    def __init__(self, module: str, settings: dict):
        self.sock, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid()), json.dumps(settings)],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=2,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p or os.getcwd() for p in sys.path)},
            )

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Raises StartError when the child dies or does not say that it is ready within `timeout_s`."""
        try:
            hello = self.exchange(None, timeout_s)
        except (TimeoutError, ConnectionError) as error:
            raise StartError(f"a verifier process was not ready after {timeout_s:.1f} s: {error}") from error
        if "error" in hello:
            raise StartError(hello["error"])

    def exchange(self, item: dict | None, timeout_s: float) -> dict:
        """Send `item`, return the reply. Raises TimeoutError or ConnectionError; the child is then of no more use."""
        deadline = time.monotonic() + timeout_s
        self.sock.settimeout(timeout_s)
        if item is not None:
            send(self.sock, item)
        reply = receive(self.sock, deadline)
        if reply is None:
            raise ConnectionError("the verifier process died")
        return reply

    def cpu_seconds(self) -> float:
        """CPU that the child has used; infinity where the system does not say or the child is gone."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return float("inf")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self.sock.close()
        self.process.kill()
        self.process.wait()


def enter(arguments: list[str]) -> tuple[socket.socket, dict]:
    """The child's first step: die with the parent, ignore the terminal's interrupt, lift an inherited memory cap."""
    fd, parent, settings = int(arguments[0]), int(arguments[1]), json.loads(arguments[2])
    pr_set_pdeathsig = 1
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    return socket.socket(fileno=fd), settings


def limit_memory(extra_mb: int) -> None:
    """Cap the address space at what is mapped now plus `extra_mb` MiB; no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit, hard = pages * resource.getpagesize() + extra_mb * 2**20, resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
