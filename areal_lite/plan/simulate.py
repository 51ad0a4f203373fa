"""The real scheduler, unmodified, between simulated servers and a simulated trainer, on a clock of events.

A server decodes all its answers in step, a token each; the time of a step is linear in their number and their context, so
the time to the next event has a closed form and nothing is approximated between events. Waits for nothing.
"""
import heapq
import itertools
import math
from dataclasses import dataclass, field

import numpy as np

from areal_lite.master.evaluation import EvaluationRounds
from areal_lite.master.rules import Rules
from areal_lite.master.scheduler import Scheduler
from areal_lite.plan.costs import Costs
from areal_lite.plan.lengths import Lengths
from areal_lite.types import Batch, Hello, Loaded, Prompt, Ticket, Trajectory, Update

BLOCKS = 128
"""Versions are stamped per block of tokens, about so many in the longest answer."""


@dataclass
class Seen:
    """What was measured between two versions."""
    seconds: float = 0.0
    steps: int = 0
    trainer: float = 0.0
    """Seconds it was busy."""
    generation: float = 0.0
    """Seconds a server had work, mean over servers."""
    stalled: float = 0.0
    """Seconds a server loaded weights, mean over servers."""
    staleness: np.ndarray = field(default_factory=lambda: np.zeros(64))
    """[64] trained tokens by step - version; the last holds all beyond."""
    trained: int = 0
    trained_tokens: int = 0
    generated: int = 0
    generated_tokens: int = 0
    dropped_tokens: int = 0

    @property
    def step_s(self) -> float:
        """Seconds a step."""
        return self.seconds / self.steps

    @property
    def stale_max(self) -> int:
        """Oldest trained token."""
        return int(self.staleness.nonzero()[0].max(initial=0))

    @property
    def stale_mean(self) -> float:
        """Over trained tokens."""
        return float(self.staleness @ np.arange(64) / self.staleness.sum())


class Server:
    """One generation server: all its sequences advance together."""

    def __init__(self, costs: Costs):
        self.costs, self.at, self.ready_at = costs, 0.0, 0.0
        self.position = 0.0
        """Tokens decoded by a sequence that was there from the start."""
        self.running: list[tuple[float, int, float, Ticket, int]] = []
        """Heap of (position where it ends, tie, position where it began, ticket, sample)."""
        self.context = 0.0
        self.marks: list[tuple[float, int]] = []
        """(position, version loaded there)."""
        self.loading, self.busy, self.stalled, self.epoch = False, 0.0, 0.0, 0

    def advance(self, now: float) -> None:
        """Decode up to this moment."""
        if self.running:
            self.busy += now - self.at
            if (seconds := now - max(self.at, self.ready_at)) > 0:
                tokens = self._tokens_in(seconds)
                self.position += tokens
                self.context += tokens * len(self.running)
        self.at = now

    def finishes(self) -> float:
        """When the next answer ends if nothing else happens; infinite when idle."""
        if not self.running:
            return math.inf
        x, n, c = max(0.0, self.running[0][0] - self.position), len(self.running), self.costs
        return max(self.at, self.ready_at) + (c.step + n * c.sequence + c.context * self.context) * x + c.context * n * x * x / 2

    def _tokens_in(self, seconds: float) -> float:
        n, c = len(self.running), self.costs
        rate, growth = c.step + n * c.sequence + c.context * self.context, c.context * n
        return 2 * seconds / (rate + math.sqrt(rate * rate + 2 * growth * seconds))

    def stall(self, seconds: float) -> None:
        """Nothing is decoded for so long."""
        self.ready_at = max(self.ready_at, self.at) + seconds

    def versions(self, begin: float, blocks: int, block: int) -> np.ndarray:
        """[blocks] int32 version under which each block of an answer that began there was started."""
        at = begin + block * np.arange(blocks)
        where = np.searchsorted([p for p, _ in self.marks], at, side="right") - 1
        return np.array([v for _, v in self.marks], np.int32)[np.maximum(where, 0)]

    def forget(self) -> None:
        """Drop the marks no running answer reaches back to."""
        oldest = min((begin for _, _, begin, _, _ in self.running), default=self.position)
        while len(self.marks) > 1 and self.marks[1][0] <= oldest:
            self.marks.pop(0)


class World:
    """Events of one simulated stage."""

    def __init__(self, rules: Rules, costs: Costs, lengths: Lengths, *, servers: int, capacity: int, prompt_tokens: int = 150,
                 rounds: tuple[int, int, int] = (0, 1, 0), seed: int = 0):
        """rules: trainer_ranks must be its data_parallel ranks. rounds: held-out questions, samples, every so many steps."""
        self.rules, self.costs, self.lengths, self.seed = rules, costs, lengths, seed
        self.block = max(1, lengths.cut // BLOCKS)
        self.prompt = Prompt("p", np.zeros(prompt_tokens, np.int32), ("",))
        self.zeros = np.zeros(lengths.cut + 1, np.int32), np.zeros(lengths.cut + 1, np.float32)
        self.scheduler = Scheduler(lambda k: self.prompt, rules, EvaluationRounds(lambda k: self.prompt, *rounds))
        self.now, self.events, self.ties = 0.0, [], itertools.count()
        self.servers = {f"generation-{i}": Server(costs) for i in range(servers)}
        self.seen, self.shares = Seen(), []
        for rank in range(rules.trainer_ranks):
            self._send(self.scheduler.on(f"trainer-{rank}", Hello("trainer", rank, 1)))
        for i, peer in enumerate(self.servers):
            self._send(self.scheduler.on(peer, Hello("generation", i, 1, capacity)))
        self._send(self.scheduler.on("trainer-0", Update(0, "", "")))

    def run(self, warm: int, steps: int) -> Seen:
        """Simulate warm + steps steps; what the last `steps` of them looked like."""
        self._until(warm)
        begin, before = self.now, sum(s.busy for s in self.servers.values())
        stalled, dropped = sum(s.stalled for s in self.servers.values()), self.scheduler.ledger.dropped
        self.seen = Seen(steps=steps)
        self._until(warm + steps)
        seen, n = self.seen, len(self.servers)
        seen.seconds = self.now - begin
        seen.generation = (sum(s.busy for s in self.servers.values()) - before) / n
        seen.stalled = (sum(s.stalled for s in self.servers.values()) - stalled) / n
        seen.dropped_tokens = (self.scheduler.ledger.dropped - dropped) * self.block
        return seen

    def _until(self, version: int) -> None:
        while self.scheduler.version < version:
            assert self.events, "the simulated run stands still"
            self.now, _, function, arguments = heapq.heappop(self.events)
            function(*arguments)
        for server in self.servers.values():
            server.advance(self.now)

    def _at(self, time: float, function, *arguments) -> None:
        heapq.heappush(self.events, (time, next(self.ties), function, arguments))

    def _tell(self, peer: str, message: object) -> None:
        self._send(self.scheduler.on(peer, message))

    def _send(self, outgoing: list) -> None:
        touched = set()
        for peer, m in outgoing:
            match m:
                case Ticket():
                    self._begin(self.servers[peer], m)
                    touched.add(peer)
                case Update():
                    self._load(peer, m.version)
                    touched.add(peer)
                case Batch():
                    self.shares.append(m)
        if len(self.shares) == self.rules.trainer_ranks:
            self._train()
        for peer in touched:
            self._expect(peer)

    # -- generation -----------------------------------------------------------------------------------------------------------

    def _begin(self, server: Server, ticket: Ticket) -> None:
        server.advance(self.now)
        server.stall(self.costs.prefill * len(self.prompt.token_ids))
        key = (self.seed, ticket.purpose == "train", ticket.k, ticket.attempt)
        lengths = self.lengths.group(key, max(ticket.samples) + 1)
        for sample in ticket.samples:
            end = server.position + float(lengths[sample])
            heapq.heappush(server.running, (end, next(self.ties), server.position, ticket, sample))
            server.context += len(self.prompt.token_ids)

    def _expect(self, peer: str) -> None:
        """Look again when the next answer of this server should be there."""
        server = self.servers[peer]
        server.epoch += 1
        if (time := server.finishes()) < math.inf:
            self._at(time, self._finish, peer, server.epoch)

    def _finish(self, peer: str, epoch: int) -> None:
        server = self.servers[peer]
        if epoch != server.epoch:
            return                             # something happened in between; there is a newer event
        server.advance(self.now)
        server.position = max(server.position, server.running[0][0])       # rounding
        done = []
        while server.running and server.running[0][0] <= server.position + 1e-6:
            end, _, begin, ticket, sample = heapq.heappop(server.running)
            server.context -= end - begin + len(self.prompt.token_ids)
            done.append(self._trajectory(server, ticket, sample, begin, round(end - begin)))
        if not server.running:
            server.context = 0.0
        self._expect(peer)
        for t in done:
            if self.costs.score:
                self._at(self.now + self.costs.score, self._tell, peer, t)
            else:
                self._tell(peer, t)

    def _trajectory(self, server: Server, ticket: Ticket, sample: int, begin: float, tokens: int) -> Trajectory:
        """With a "token" for every block of them."""
        blocks = -(-tokens // self.block)
        if ticket.purpose == "train":
            self.seen.generated += 1
            self.seen.generated_tokens += tokens
        return Trajectory(ticket.k, ticket.attempt, sample, ticket.purpose, self.prompt.token_ids, self.zeros[0][:blocks],
                          self.zeros[1][:blocks], server.versions(begin, blocks, self.block),
                          "length" if tokens >= self.lengths.cut else "stop", 0.0, "wrong", "", float(tokens))

    def _load(self, peer: str, version: int) -> None:
        server = self.servers[peer]
        server.advance(self.now)
        server.stall(self.costs.load)
        server.stalled += self.costs.load
        self._at(self.now + self.costs.load, self._loaded, peer, version)

    def _loaded(self, peer: str, version: int) -> None:
        server = self.servers[peer]
        server.advance(self.now)
        server.forget()
        server.marks.append((server.position, version))
        self._tell(peer, Loaded(version, "", 0.0, self.costs.load))

    # -- training -------------------------------------------------------------------------------------------------------------

    def _train(self) -> None:
        """Ranks meet after every minibatch; the version is out when it is published."""
        shares, self.shares = self.shares, []
        step, seconds = shares[0].step, self.costs.publish
        for parts in zip(*(s.minibatches for s in shares), strict=True):
            seconds += self.costs.minibatch + max(sum(self._seconds(t) for t in mb.trajectories) for mb in parts)
        for t in (t for s in shares for mb in s.minibatches for t in mb.trajectories):
            tokens = int(t.seconds)
            self.seen.trained += 1
            self.seen.trained_tokens += tokens
            stale = np.bincount(np.minimum(step - t.versions, 63), minlength=64)
            self.seen.staleness += stale * (tokens / max(len(t.versions), 1))
        self.seen.trainer += seconds
        self._at(self.now + seconds, self._tell, "trainer-0", Update(step + 1, "", ""))

    def _seconds(self, t: Trajectory) -> float:
        """Training time of one sequence on its rank; a simulated answer carries its tokens as its seconds."""
        n = t.seconds + len(t.prompt_ids)
        return n * self.costs.token + n * n * self.costs.square
