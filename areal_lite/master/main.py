"""The master process: receive, ask the scheduler, send, write down. All decisions are in scheduler.py.

Waits for messages, at most 0.1 s at a time, so that its clocks run: a server that is silent is declared lost, a silent
trainer or a run in which nothing moves ends the stage with a sentence that says who waits for whom.
"""
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from areal_lite import dataset, record, weights
from areal_lite.config.identity import of_answers
from areal_lite.config.schema import Stage
from areal_lite.master.answers import write_answers
from areal_lite.master.clocks import Clocks
from areal_lite.master.evaluation import EvaluationRounds
from areal_lite.master.journal import Journal
from areal_lite.master.recorder import Recorder
from areal_lite.master.rules import rules
from areal_lite.master.scheduler import Scheduler
from areal_lite.master.status import status, waiting_for
from areal_lite.master.triggers import reached
from areal_lite.streams import Hub
from areal_lite.types import Batch, Damaged, Heartbeat, Hello, Loaded, Stop, Ticket, Trajectory, Update

STATUS_S = 1.0
LOOK_S = 0.1
"""Who has gone quiet is looked up no more often than this; every message comes by here."""
STALL_S = 0.5
"""When this process did not look for so long, it stood still itself (stopped, a slow disk): that is nobody else's silence."""
LAST_WORDS_S = 30.0
"""For `python -m areal_lite.status --stacks` when the run hangs."""


class Master:
    """One stage: the scheduler, its sockets, its clocks and its rows."""

    def __init__(self, stage: Stage, directory: Path, hub: Hub):
        data, ev = stage.data, stage.evaluation
        self.stage, self.directory, self.hub = stage, directory, hub
        train = dataset.load(data.path, stage.model.path, format=data.format, difficulty=data.difficulty, limit=data.limit,
                             decontaminate=data.decontaminate, template=data.template, seed=stage.seed,
                             max_prompt_tokens=data.max_prompt_tokens, golds=stage.reward.rule != "function")
        held = dataset.load(ev.path, stage.model.path, format=ev.format, limit=ev.limit, template=data.template,
                            max_prompt_tokens=data.max_prompt_tokens) if ev.path else None
        rounds = EvaluationRounds(held.at if held else train.at, len(held) if held else 0, ev.samples, ev.every_steps)
        self.scheduler = Scheduler(train.prompt, rules(stage), rounds, self._keep)
        self.recorder = Recorder(stage, directory, dataset.load_tokenizer(stage.model.path)[0])
        self.recorder.event("joined", peer="master", pid=os.getpid())
        self.recorder.event("data", rows=len(train), dropped=train.dropped, held_out=len(held) if held else 0)
        bounded = stage.algorithm.staleness_policy == "bounded"   # the others' batches depend on who came first
        self.journal = Journal(directory / "journal", of_answers(stage), stage.algorithm.prompts_per_step,
                               int(bounded * stage.checkpoint.journal_gb * 1e9))
        now = time.monotonic()
        self.heard: dict[str, float] = {}
        self.beats: dict[str, Heartbeat] = {}
        self.damaged: Counter[int] = Counter()
        self.moved, self.written, self.looked, self.retired = now, 0.0, 0.0, -1
        self.clocks = Clocks(now)

    def run(self) -> None:
        """Until the stage is finished. SystemExit with a sentence when it cannot go on."""
        while not self.scheduler.finished:
            if got := self.hub.receive(timeout_s=0.1):
                self._send(self._on(*got))
            self._clocks()
        self._evaluations()
        self._status()
        self.recorder.event("finished", version=self.scheduler.version)
        self.recorder.close()

    def _on(self, peer: str, message: object) -> list:
        s = self.scheduler
        self.heard[peer] = time.monotonic()
        if isinstance(message, Heartbeat):
            self.beats[peer] = message
            s.on(peer, message)
            if peer not in s.servers and peer not in s.trainers:
                return [(peer, Stop("declared lost: its samples were given to others"))]
            return [(peer, Heartbeat("serving", 0.0))]     # so that a spoke knows when the master has gone
        self.moved = time.monotonic()
        first = s.latest is None
        match message:
            case Hello():
                self.recorder.event("joined", peer=peer, pid=message.pid)
            case Loaded() if peer in s.servers:
                self.recorder.loaded(peer, message)
            case Damaged():
                return self._unloadable(peer, message)
            case Update():
                if first:
                    self.recorder.began(message.version, taken_back=s.take_back(self.journal.read(message.version)))
                out = s.on(peer, message)
                return out if first else out + self._made(message)
        return s.on(peer, message)

    def _keep(self, t: Trajectory) -> None:
        """An accepted answer goes into the journal; a disk that refuses is said once."""
        worked = not self.journal.off
        self.journal.append(t)
        if worked and self.journal.off:
            self.recorder.event("journal off", why=self.journal.off)

    def _unloadable(self, peer: str, message: Damaged) -> list:
        """A version's file is damaged. The server starts again; when it happens to the newest version once more, the group
        does, for only the trainer can publish it anew."""
        self.recorder.event("damaged", peer=peer, version=message.version, why=message.why)
        self.damaged[message.version] += 1
        if message.version == self.scheduler.version and self.damaged[message.version] > 1:
            raise SystemExit(f"version {message.version} has to be published again: {message.why}")
        return []

    def _made(self, update: Update) -> list:
        """A version was made: its row is complete, and it may be where the stage ends."""
        facts = {"time_generation_s": self.clocks.take_busy(),
                 "lost_tokens": self.scheduler.ledger.lost, "duplicates": self.scheduler.duplicates,
                 "refused_peers": self.hub.refused, "malformed": self.hub.malformed}
        self.recorder.step(update.version, update.metrics, {k: float(v) for k, v in facts.items()})
        if why := reached(self.stage.until, self.recorder.rows):
            self.recorder.event("ends early", why=why, version=update.version)
            return self.scheduler.end_after(update.version)
        return []

    def _evaluations(self) -> None:
        """Write down finished rounds."""
        for r in self.scheduler.rounds.done:
            self.recorder.evaluated(r)
        self.scheduler.rounds.done.clear()

    def _send(self, outgoing: list) -> None:
        batch = next((m for _, m in outgoing if isinstance(m, Batch)), None)
        if batch:                                          # before it goes: the trainer may outlive this process with it
            self.recorder.tickets(self.scheduler.training, batch.step)
        for peer, message in outgoing:
            self.hub.send(peer, message)                   # to a peer that is gone: dropped, its silence is noticed
            if isinstance(message, Ticket):
                self.clocks.sent(message, time.monotonic())
        if batch:
            self.recorder.batch(self.scheduler.training, batch.step)
            if bundle := record.bundle_dir(self.directory, batch.step + 1, self.stage.record.bundle_every_steps):
                write_answers(bundle, self.scheduler.training, self.scheduler.prompt_of, self.recorder.tokenizer)

    def _clocks(self) -> None:
        now, s, cluster = time.monotonic(), self.scheduler, self.stage.cluster
        self.clocks.sample(s, now)
        if s.finished or now - self.looked < LOOK_S:       # who has been told Stop leaves, and is not lost
            return
        if (stood := now - self.looked) > STALL_S:         # what was said meanwhile still has to be read
            self.heard = {p: min(now, t + stood) for p, t in self.heard.items()}
            self.moved = min(now, self.moved + stood)
        self.looked = now
        silent = [p for p in s.servers if now - self.heard[p] > cluster.silence_s]
        for peer in dict.fromkeys([*self.hub.gone(s.servers), *silent]):
            self.recorder.event("lost", peer=peer, why="silence" if peer in silent else "its connection broke",
                                silent_s=now - self.heard[peer], free=s.servers[peer].free)
            self._send(s.lost(peer))
        for peer in s.trainers:
            if now - self.heard[peer] > cluster.silence_s:
                raise SystemExit(f"{peer} has not been heard for {now - self.heard[peer]:.0f} s; its log says why")
        if now - self.moved > cluster.hang_s:
            self._last_words()
            raise SystemExit(f"nothing has moved for {now - self.moved:.0f} s (cluster.hang_s={cluster.hang_s:g}): {waiting_for(s)}. "
                             f"Who does what, and the stacks of this node's processes, are in {self.directory}/logs/master.log")
        if now - self.written > STATUS_S:
            self._evaluations()
            self._status()
            self._retire()

    def _last_words(self) -> None:
        """The run hangs: the whole status and everybody's stacks into the logs, before all of it ends."""
        self._status()
        self.recorder.event("hang", still_s=self.written - self.moved, waiting_for=waiting_for(self.scheduler))
        words = [sys.executable, "-m", "areal_lite.status", str(self.directory), "--stacks"]
        try:
            subprocess.run(words, stdin=subprocess.DEVNULL, timeout=LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            print(f"no status within {LAST_WORDS_S:g} s", file=sys.stderr)

    def _status(self) -> None:
        now = self.written = time.monotonic()
        beats = {p: {"doing": b.doing, "since_s": b.since_s, "silent_s": self.written - self.heard[p], **b.counters}
                 for p, b in self.beats.items()}
        row = {"time": time.time(), "stage": self.stage.name, **status(self.scheduler), "processes": beats,
               "oldest": self.clocks.oldest(self.scheduler, now),
               "quiet_s": {p: self.clocks.quiet_s(p, now) for p in self.scheduler.servers},
               "still_s": self.written - self.moved, "refused_peers": self.hub.refused, "malformed": self.hub.malformed}
        record.write(self.directory / "status.json", json.dumps(row))

    def _retire(self) -> None:
        """Remove versions that every server is past, and answers that every checkpoint is past."""
        if saved := record.checkpoints(self.directory):
            self.journal.retire(saved[0])
        if self.scheduler.live > self.retired and self.scheduler.servers:
            self.retired = self.scheduler.live
            if self.stage.cluster.weights_transport == "files":
                weights.retire(self.stage.cluster.weights_dir, self.scheduler.live)
