"""One real run under faults: the launcher with its vLLM servers, master and trainer, a stage of the quickstart, a short one.

Starts the launcher and, when it has ended badly, starts it again with --resume; plays the faults one after the other, each
when the one before is got over; then looks at what the run left behind. Waits for the launcher, with a clock.
"""
import contextlib
import json
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

from areal_lite import record
from areal_lite.config import Stage
from benchmarks import chaos_checks as checks
from benchmarks import runs
from benchmarks.chaos_faults import Machine, draw, mount, unmount
from benchmarks.chaos_link import Link, free_port
from benchmarks.chaos_simulated import Fault

SERVERS, STEPS, SILENCE_S, CLOCK_S, STARTS = 2, 20, 8.0, 300.0, 5
"""Of every run; how long it may take and how often its launcher may be started."""
DISK_MIB = 16
SITE = Path(__file__).parent / "chaos_site"
STEP_LINE = re.compile(r"^\S+ \[")


class Run:
    """A run of one seed; without faults it is the undisturbed one."""

    def __init__(self, stage: Stage, directory: Path, faults: list[Fault]):
        self.directory, self.stage_dir, self.faults = directory, directory / stage.name, list(faults)
        self.weights_dir, self.own = directory.with_suffix(".disk"), directory.with_suffix(".chaos")
        self.tree = runs.alone(
            stage, directory, until={"steps": STEPS, "plateau": 0.0}, evaluation={"path": ""},
            checkpoint={"every_s": 0.0, "every_steps": 2}, record={"tensorboard": False},
            cluster={"allocation": f"vllm.d{SERVERS}+d1", "pin_cpus": False, "silence_s": SILENCE_S, "hang_s": 120.0,
                     "master": f"127.0.0.1:{free_port()}", "weights_dir": str(self.weights_dir)})
        a = stage.algorithm
        self.behind = a.max_staleness + 2
        """So many versions later nothing is left of a fault: the tickets of before are trained."""
        self.shape, self.staleness = (STEPS, a.prompts_per_step, a.group_size), a.max_staleness
        self.broken: list[str] = []
        self.struck: list[dict] = []
        self.starts = 0
        self.lasting: list[tuple[float, Fault]] = []
        """(until when, what)."""

    def play(self) -> dict:
        """Its row of chaos.jsonl."""
        file = runs.prepare(self.tree, self.directory)
        self.stage_dir.mkdir(parents=True)
        self.own.mkdir(exist_ok=True)
        if any(f.kind == "full disk" for f in self.faults):
            mount(self.weights_dir, DISK_MIB)
        links = [Link(self.stage_dir) for _ in range(SERVERS)]
        machine = Machine(lambda: self.launcher.pid, self.stage_dir, self.weights_dir, self.own, links)
        began = time.monotonic()
        environment = {**os.environ, "CHAOS_DIR": str(self.own), "CHAOS_LINKS": ",".join(link.address for link in links),
                       "PYTHONPATH": os.pathsep.join([str(SITE), os.environ.get("PYTHONPATH", "")])}
        try:
            self._start(file, environment)
            while not self._ended(file, environment, machine, began):
                self._faults(machine)
                time.sleep(0.02)
        finally:
            self._clear(links)
        return self._row(time.monotonic() - began)

    def _start(self, file: Path, environment: dict[str, str]) -> None:
        self.starts += 1
        words = [sys.executable, "-m", "areal_lite.launch", f"exp={file}", "--resume"]
        with open(self.directory.with_suffix(".log"), "w" if self.starts == 1 else "a") as log:
            self.launcher = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)

    def _ended(self, file: Path, environment: dict[str, str], machine: Machine, began: float) -> bool:
        """Whether the run is over; a launcher that ended badly is started again, with what was done to the machine mended."""
        if time.monotonic() - began > CLOCK_S:
            self.broken.append(f"not finished after {CLOCK_S:g} s: {self._status().get('waiting_for', 'no status')}")
        elif self.launcher.poll() is None:
            return False
        elif self.launcher.returncode and self.starts == STARTS:
            self.broken.append(f"the launcher ended {STARTS} times, last with {self.launcher.returncode}")
        elif self.launcher.returncode:
            self._orphans()
            self._mend(machine, math.inf)
            self._start(file, environment)
            return False
        return True

    def _faults(self, machine: Machine) -> None:
        """Begin, keep up, mend and time."""
        now, made = time.monotonic(), self._made()
        last = self.struck[-1] if self.struck else None
        if last and "lost_s" not in last and made >= last["made"] + self.behind:
            last["lost_s"] = now - last["at"]
        for _, fault in self.lasting:
            machine.during(fault)
        self._mend(machine, now)
        if self.faults and made >= self.faults[0].version and (last is None or "lost_s" in last) and self._possible(self.faults[0]):
            if self.due is None:
                self.due = now + self.faults[0].delay_s
            if now >= self.due:
                self._begin(machine, self.faults.pop(0), made)

    due: float | None = None
    """When the next fault strikes, once its version is made."""

    def _possible(self, fault: Fault) -> bool:
        return fault.kind != "corrupt checkpoint" or len(record.checkpoints(self.stage_dir)) > 1

    def _begin(self, machine: Machine, fault: Fault, made: int) -> None:
        self.due, began, saved = None, len(self._began()), record.checkpoints(self.stage_dir)
        skipped = machine.begin(fault)
        made = max(made, self._made())             # a hunt takes a while
        self.struck.append({"kind": fault.kind, "at": time.monotonic(), "made": made, "server": fault.server, "seconds": fault.seconds,
                            "began": began, "saved": saved[-1] if saved else 0, "versions": self.behind})
        if skipped:
            self.struck[-1] |= {"skipped": skipped, "lost_s": 0.0}
        elif fault.seconds:
            self.lasting.append((time.monotonic() + fault.seconds, fault))

    def _mend(self, machine: Machine, now: float) -> None:
        for over in [x for x in self.lasting if x[0] <= now]:
            self.lasting.remove(over)
            machine.mend(over[1])

    def _made(self) -> int:
        return max((row["step"] for row in record.read(self.stage_dir / "metrics.jsonl")), default=0)

    def _began(self) -> list[int]:
        """The versions from which a trainer began, oldest first."""
        return [e["version"] for e in record.read(self.stage_dir / "events.jsonl") if e["event"] == "began"]

    def _status(self) -> dict:
        file = self.stage_dir / "status.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def _orphans(self) -> None:
        """What a dead launcher left; it has a moment to go."""
        _, alive = psutil.wait_procs([p for p in psutil.process_iter(["cmdline"]) if str(self.stage_dir) in (p.info["cmdline"] or [])], 15)
        for process in alive:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                self.broken.append(f"an orphan: {' '.join(process.info['cmdline'])[:200]}")
                process.kill()

    def _clear(self, links: list[Link]) -> None:
        """Nothing of the run stays but its files."""
        if self.launcher.poll() is None:
            for process in psutil.Process(self.launcher.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGCONT)
            self.launcher.terminate()
            self.launcher.wait(60)
        self._orphans()
        for link in links:
            link.process.kill()
            link.process.join()
        unmount(self.weights_dir)

    def _row(self, seconds: float) -> dict:
        """Everything that is reported of the run."""
        metrics, status = runs.rows(self.stage_dir), self._status()
        events = runs.rows(self.stage_dir, "events.jsonl")
        began = self._began()
        restarts = len(began) - 1
        self.broken += [*checks.tickets(runs.rows(self.stage_dir, "tickets.jsonl"), *self.shape),
                        *checks.metrics(metrics, STEPS, self.staleness, restarts)]
        self.broken += checks.ledger(status["ledger"]) if status else ["no status.json"]
        self.broken += [f"went on from the damaged checkpoint {f['saved']}" for f in self.struck
                        if f["kind"] == "corrupt checkpoint" and "skipped" not in f and f["saved"] in began[f["began"]:f["began"] + 1]]
        if not (self.stage_dir / "finished.json").exists():
            self.broken.append("the stage is not finished")
        log = self.directory.with_suffix(".log").read_text(errors="replace").splitlines()
        return {"run": self.directory.name, "seconds": seconds, "exit": self.launcher.returncode, "starts": self.starts,
                "restarts": restarts, "steps": len(metrics), "staleness": max((r["staleness_max"] for r in metrics), default=0.0),
                "step_s": statistics.median([r["step_s"] for r in metrics] or [0.0]), "faults": self.struck,
                "not_struck": [f.kind for f in self.faults], "broken": self.broken,
                "events": [e for e in events if e["event"] in ("began", "lost", "hang", "journal off", "finished")],
                "said": [line[:300] for line in log if line.strip() and not STEP_LINE.match(line)][:200]}


def play(stage: Stage, out: Path, seed: int | None) -> dict:
    """The row of this seed, or of the undisturbed run; a run that has its row is not repeated."""
    name = f"run-{seed}" if seed is not None else "undisturbed"
    if done := next((row for row in record.read(out / "chaos.jsonl") if row["run"] == name), None):
        return done
    row = Run(stage, out / name, draw(seed, SERVERS, SILENCE_S) if seed is not None else []).play()
    record.append(out / "chaos.jsonl", row)
    return row


def table(quiet: dict, rows: list[dict]) -> str:
    """Markdown: a line per run, then the seconds that each kind of fault cost."""
    lines = ["| run | faults | steps | staleness max | restarts / launches | seconds (undisturbed "
             f"{quiet['seconds']:.0f}) | exit | tickets once, ledger, clock |", "|---|---|---|---|---|---|---|---|"]
    cost: dict[str, list[float]] = {}
    for r in rows:
        for f in r["faults"]:
            if "skipped" not in f:
                cost.setdefault(f["kind"], []).append(max(0.0, f.get("lost_s", 0.0) - f["versions"] * quiet["step_s"]))
        faults = ", ".join(f["kind"] + (" (skipped)" if "skipped" in f else "") for f in r["faults"])
        lines.append(f"| {r['run']} | {faults} | {r['steps']} | {r['staleness']:.0f} | {r['restarts']} / {r['starts']} | "
                     f"{r['seconds']:.0f} | {r['exit']} | {'BROKEN: ' + '; '.join(r['broken']) if r['broken'] else 'held'} |")
    lines += ["", "| fault | times | seconds lost, each time |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {kind} | {len(s)} | {' '.join(f'{x:.0f}' for x in s)} |" for kind, s in sorted(cost.items()))])
