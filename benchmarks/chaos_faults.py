"""The faults of a real run: each begins, lasts, and is mended. Processes are found below the launcher and hit by their ids.

Consumes the launcher's process and the run's files; waits for nothing.
"""
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from areal_lite import record
from benchmarks.chaos_link import Link
from benchmarks.chaos_simulated import Fault, flip

KINDS = ("kill server", "corrupt weights", "kill trainer", "partition long", "kill launcher", "stop server long", "kill master",
         "corrupt checkpoint", "full disk", "stop server", "clock jump", "partition", "slow disk", "cut link")
LONG, SHORT = 1.8, 0.5
"""Times cluster.silence_s."""
LASTS = {"stop server": SHORT, "partition": SHORT, "stop server long": LONG, "partition long": LONG, "cut link": SHORT, "full disk": 0.2,
         "slow disk": 0.6, "clock jump": 0.4}
OWN = {"clock jump": "clock", "slow disk": "slow"}
"""What chaos_site reads."""
HUNT_S = 20.0
"""How long a version is waited for that can be damaged before a server reads it."""


def draw(seed: int, servers: int, silence_s: float) -> list[Fault]:
    """Two kinds in turn, so that seven runs see them all, and one at random; at random points of the run, in random order. The
    delay of each counts from when the one before was got over."""
    source = random.Random(seed)
    kinds = [KINDS[2 * seed % len(KINDS)], KINDS[(2 * seed + 1) % len(KINDS)], source.choice(KINDS)]
    source.shuffle(kinds)
    return [Fault(kind, 2 + 5 * n + source.randrange(3), source.uniform(0, 1.5), source.randrange(servers),
                  silence_s * LASTS.get(kind, 0.0) * source.uniform(0.8, 1.0)) for n, kind in enumerate(kinds)]


class Machine:
    """What can be done to one run."""

    def __init__(self, launcher: Callable[[], int], stage_dir: Path, weights_dir: Path, own: Path, links: list[Link]):
        """launcher: its process id now. own: CHAOS_DIR of the run."""
        self.launcher, self.stage_dir, self.weights_dir, self.own, self.links = launcher, stage_dir, weights_dir, own, links

    def begin(self, fault: Fault) -> str:
        """Strike; returns what could not be done and why, "" when it was."""
        link = self.links[fault.server]
        match fault.kind:
            case "kill launcher": os.kill(self.launcher(), signal.SIGKILL)
            case "kill server": return self._signal("generation", fault.server, signal.SIGKILL)
            case "kill trainer": return self._signal("trainer", 0, signal.SIGKILL)
            case "kill master": return self._signal("master", None, signal.SIGKILL)
            case "stop server" | "stop server long": return self._signal("generation", fault.server, signal.SIGSTOP)
            case "partition" | "partition long": link.stop()
            case "cut link": link.cut()
            case "clock jump" | "slow disk": (self.own / OWN[fault.kind]).write_text("1.0" if fault.kind == "slow disk" else "-7200")
            case "full disk": return self._fill()
            case "corrupt weights": return self._corrupt_weights()
            case "corrupt checkpoint": return self._corrupt_checkpoint()
        return ""

    def during(self, fault: Fault) -> None:
        """A disk stays full whatever is removed from it."""
        if fault.kind == "full disk":
            self._fill()

    def mend(self, fault: Fault) -> None:
        """End what lasts."""
        if fault.kind.startswith("stop server"):
            self._signal("generation", fault.server, signal.SIGCONT)
        elif fault.kind in ("partition", "partition long", "cut link"):
            self.links[fault.server].mend()
        elif fault.kind in OWN:
            (self.own / OWN[fault.kind]).unlink(missing_ok=True)
        elif fault.kind == "full disk":
            (self.weights_dir / "filler").unlink(missing_ok=True)

    def _signal(self, room: str, index: int | None, what: signal.Signals) -> str:
        """To one of the launcher's children; a stop takes its own children along, and so does going on."""
        flag = {"generation": "--index", "trainer": "--rank"}.get(room)
        for child in children(self.launcher()):
            try:
                words = child.cmdline()
                if f"areal_lite.{room}" not in words or (flag and words[words.index(flag) + 1] != str(index)):
                    continue
                for process in [child, *(child.children(recursive=True) if what != signal.SIGKILL else [])]:
                    process.send_signal(what)
            except psutil.NoSuchProcess:           # it ended meanwhile
                continue
            return ""
        return f"no {room} process at that moment"

    def _fill(self) -> str:
        if not self.weights_dir.is_mount():
            return "mounting a small file system is not permitted here"
        try:
            with open(self.weights_dir / "filler", "ab", buffering=0) as file:
                while file.write(bytes(1 << 16)):
                    pass
        except OSError:
            pass                                   # full
        return ""

    def _corrupt_weights(self) -> str:
        """Be faster than the servers with some version; the file that all have read already is damaged too, to no effect."""
        seen, end = set(self.weights_dir.glob("v[0-9]*")), time.monotonic() + HUNT_S
        while time.monotonic() < end:
            if new := set(self.weights_dir.glob("v[0-9]*")) - seen:
                flip(self.weights_dir)
                seen |= new
                time.sleep(1.0)
                if any("refused" in log.read_text(errors="replace")[-4000:] for log in self.stage_dir.glob("logs/generation-*.log")):
                    return ""
            time.sleep(0.0005)
        return "every version was loaded before it could be damaged"

    def _corrupt_checkpoint(self) -> str:
        """Change numbers in the newest one, then make the trainer need it."""
        if not (saved := record.checkpoints(self.stage_dir)):
            return "there is no checkpoint yet"
        files = [f for f in (self.stage_dir / "checkpoints" / f"step-{saved[-1]:08d}").iterdir() if f.is_file()]
        with open(max(files, key=lambda f: f.stat().st_size), "r+b") as file:
            file.seek(file.seek(0, os.SEEK_END) // 2)
            file.write(bytes(range(1, 65)))
        return self._signal("trainer", 0, signal.SIGKILL)


def children(launcher: int) -> list[psutil.Process]:
    """The launcher's own; none when it has gone."""
    try:
        return psutil.Process(launcher).children()
    except psutil.NoSuchProcess:
        return []


def mount(directory: Path, mib: int) -> bool:
    """A small file system of its own at `directory`; False where that is not permitted."""
    directory.mkdir(parents=True, exist_ok=True)
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(directory)], capture_output=True).returncode == 0


def unmount(directory: Path) -> None:
    """Undo mount()."""
    if directory.is_mount():
        subprocess.run(["umount", "-l", str(directory)], check=True)
