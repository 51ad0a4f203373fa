"""The master as a state machine: a message in, messages out. No socket, no clock, no thread, no randomness.

Training tickets are numbered 0, 1, 2, ... and ticket k is trained at step k // P (P = prompts_per_step). It may be
issued once

    k < (live + max_staleness + 1) * P

where live is the newest version that every ready server holds. So nothing is ever trained more than max_staleness
versions after it was started, nothing is dropped for being late, and the whole state of an interrupted run is one
number: from version v, the next ticket is v * P. Who is waited for: `groups` holds what has arrived, status.waiting_for
says it in words. The first Update from trainer rank 0 starts everything.
"""
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np

from areal_lite.master.batch import make_batches
from areal_lite.master.evaluation import EvaluationRounds
from areal_lite.master.ledger import Ledger
from areal_lite.master.rules import Rules
from areal_lite.master.servers import Room, Server
from areal_lite.types import Heartbeat, Hello, Loaded, Missed, Prompt, Stop, Ticket, Trajectory, Update

Outgoing = list[tuple[str, object]]


class StalenessError(AssertionError):
    """A token older than the bound arrived; a bug, so the run stops before it is trained on."""


class Scheduler:
    """All decisions of a run. Call on(peer, message) and lost(peer); send what they return."""

    def __init__(self, prompt: Callable[[int], Prompt], rules: Rules, rounds: EvaluationRounds,
                 accepted: Callable[[Trajectory], None] = lambda t: None):
        """prompt: the n-th of the stage's. accepted is told every training answer that will be used, for the journal."""
        self.prompt, self.rules, self.rounds, self.accepted = prompt, rules, rounds, accepted
        self.servers: dict[str, Server] = {}
        self.room = Room(self.servers)
        self.trainers: dict[str, int] = {}
        self.reissue: list[Ticket] = []
        """Tickets of lost servers and of filtered groups; they go before anything new."""
        self.groups: dict[int, dict[int, Trajectory]] = {}
        """Open training tickets -> what has arrived, by sample."""
        self.journaled: dict[int, dict[int, Trajectory]] = {}
        """What a master before this one had accepted, as groups; a ticket takes its own when it opens."""
        self.complete: dict[int, None] = {}
        """Whole groups in the order they became so; the bounded policy does not look at the order."""
        self.latest: Update | None = None
        self.version = self.live = self.step = self.next_k = -1
        self.end = rules.total_steps
        self.ledger = Ledger()
        self.duplicates = 0
        self.training: list[list[Trajectory]] = []
        """Groups of the newest step sent to the trainer, for the recorder."""

    # -- messages in ---------------------------------------------------------------------------------------------

    def on(self, peer: str, message: object) -> Outgoing:
        """Every message but the lost server's silence comes through here."""
        if peer not in self.servers and isinstance(message, Trajectory | Loaded | Missed):
            if isinstance(message, Trajectory):
                self._refuse(message)
            return [(peer, Stop("declared lost: its samples were given to others"))]
        match message:
            case Hello(role="generation"):
                self._joined(peer, message)
            case Hello(role="trainer"):
                self.trainers[peer] = message.index
            case Heartbeat():
                if peer in self.servers:
                    self.servers[peer].generated = int(message.counters.get("generated_tokens", 0))
                return []
            case Trajectory():
                self._arrived(peer, message)
                return self._train() + self._issue() if self.latest else []    # nobody has to load anything for it
            case Loaded():
                self._loaded(peer, message)
            case Missed():
                self.servers[peer].ended(message.version)
            case Update():
                self._updated(message)
            case _:
                raise ValueError(f"{peer} sent {type(message).__name__}, which the master does not take")
        return self._react()

    def lost(self, peer: str) -> Outgoing:
        """A generation server is gone: what it owed is reissued before anything new."""
        self._forget(peer)
        return self._react()

    def take_back(self, trajectories: list[Trajectory]) -> int:
        """Before the first Update: answers that need not be made again, in the order they came; how many of them are used.
        Of a ticket's attempts the last counts; an answer to a prompt that is not this run's, or staler than the bound of now,
        is left out."""
        rules = self.rules
        for t in trajectories:
            oldest = t.k // rules.prompts_per_step - rules.max_staleness
            if t.sample >= rules.group_size or (t.versions < oldest).any():
                continue
            if not np.array_equal(t.prompt_ids, self.prompt_of(t.k, t.attempt).token_ids):
                continue
            group = self.journaled.setdefault(t.k, {})
            if group and next(iter(group.values())).attempt < t.attempt:
                group.clear()
            group[t.sample] = t
        return sum(map(len, self.journaled.values()))

    def _forget(self, peer: str) -> None:
        server = self.servers.pop(peer)
        self.ledger.lost += max(0, server.generated - server.delivered)
        self.reissue += server.tickets.values()
        self.reissue.sort(key=lambda t: (t.purpose == "train", t.k))
        self._advance_live()

    def end_after(self, steps: int) -> Outgoing:
        """End the stage early; a step that is out is still made, tickets for later ones are abandoned."""
        self.end = min(self.end, max(steps, self.step))
        if self.version >= self.end:
            self.rounds.made(self.version, last=True)
        return self._react()

    @property
    def finished(self) -> bool:
        """The last version is made, live everywhere, and evaluated."""
        return self.version >= self.end and self.live >= self.end and self.rounds.idle

    # -- what each message changes ----------------------------------------------------------------------------------

    def _joined(self, peer: str, hello: Hello) -> None:
        if peer in self.servers:               # it restarted before we missed it
            self._forget(peer)
        self.servers[peer] = Server(hello.capacity)

    def _updated(self, update: Update) -> None:
        if self.latest is None:                # a fresh start is version 0, a resumed one is the checkpoint's
            self.live = self.step = update.version
            self.next_k = update.version * self.rules.prompts_per_step
        elif update.version != self.version + 1:
            raise ValueError(f"the trainer sent version {update.version} after version {self.version}")
        self.version, self.latest = update.version, update
        self.ledger.check(sum(_tokens(g) for g in self.groups.values()))
        self.rounds.made(update.version, last=update.version >= self.end)

    def _loaded(self, peer: str, loaded: Loaded) -> None:
        server = self.servers[peer]
        server.version = loaded.version
        server.ended(loaded.version)
        self._advance_live()
        self.room.changed(peer)

    def _advance_live(self) -> None:
        self.live = max(self.live, min((s.version for s in self.servers.values() if s.version >= 0), default=-1))

    def _arrived(self, peer: str, t: Trajectory) -> None:
        server = self.servers[peer]
        server.delivered += len(t.output_ids)
        if (ticket := server.settle(t)) is None:
            self._refuse(t)
            return
        self.room.changed(peer)
        self.ledger.received += len(t.output_ids)
        if t.purpose == "evaluate":
            self.ledger.evaluated += len(t.output_ids)
            self.rounds.arrived(t)
            return
        self.accepted(t)
        group = self.groups[t.k]
        group[t.sample] = t
        if len(group) == self.rules.group_size:
            self._whole(ticket, group)

    def _whole(self, ticket: Ticket, group: dict[int, Trajectory]) -> None:
        """A group has all its answers: keep it, or reissue its number with another prompt."""
        same = len({t.reward for t in group.values()}) == 1
        if self.rules.filter_zero_variance and same and ticket.attempt + 1 < self.rules.max_attempts:
            self.ledger.filtered += _tokens(group)
            self.groups[ticket.k] = {}
            self.reissue.append(self._ticket(ticket.k, ticket.attempt + 1))
            self.reissue.sort(key=lambda t: (t.purpose == "train", t.k))
        else:
            self.complete[ticket.k] = None

    def _refuse(self, t: Trajectory) -> None:
        self.ledger.received += len(t.output_ids)
        self.ledger.refused += len(t.output_ids)
        self.duplicates += 1

    # -- what follows -----------------------------------------------------------------------------------------------

    def _react(self) -> Outgoing:
        if self.latest is None:
            return []
        out = self._update_servers() + self._train() + self._issue()
        return out + self._train()             # a step may be there in the journal whole, with nothing to wait for

    def _update_servers(self) -> Outgoing:
        """Tell servers to load the newest version; rolling: at most half of the ready ones at a time."""
        newest, out = self.latest.version, []
        behind = [(s.version, p) for p, s in self.servers.items() if s.loading < 0 and s.version < newest]
        busy = sum(s.loading >= 0 and s.version >= 0 for s in self.servers.values())
        room = max(1, len(self.servers) // 2) if self.rules.rolling else len(self.servers)
        for _, peer in sorted(behind):
            s = self.servers[peer]
            if not (s.version < 0 or newest - s.version >= self.rules.update_every or newest >= self.end):
                continue
            if s.version >= 0:                 # a server that only joins now does not generate yet: no need to wait
                if busy >= room:
                    continue
                busy += 1
            s.loading = newest
            out.append((peer, replace(self.latest, metrics={})))
        return out

    def _train(self) -> Outgoing:
        """Send step number self.step as soon as its groups are whole and the trainer is idle."""
        rules = self.rules
        if self.step > self.version or self.step >= self.end or len(self.trainers) < rules.trainer_ranks:
            return []
        chosen = self._choose()
        if len(chosen) < rules.prompts_per_step:
            return []
        groups = [list(self.groups.pop(k).values()) for k in chosen]
        for k in chosen:
            del self.complete[k]
        self.ledger.trained += sum(len(t.output_ids) for g in groups for t in g)
        self.training = groups
        batches = make_batches(groups, self.step, rules.data_parallel, rules.minibatches)
        self.step += 1
        return [(peer, batches[rules.data_parallel_rank(rank)]) for peer, rank in self.trainers.items()]

    def _choose(self) -> list[int]:
        """Tickets of the next batch, fewer than P while they are not there."""
        P, S = self.rules.prompts_per_step, self.rules.max_staleness
        if len(self.complete) < P:
            return []
        if self.rules.policy == "bounded":
            chosen = list(range(self.step * P, (self.step + 1) * P))
            if not all(k in self.complete for k in chosen):
                return []
            for k in chosen:
                oldest = _oldest(self.groups[k], self.step)
                if self.step - oldest > S:
                    raise StalenessError(f"ticket {k} holds a token of version {oldest} at step {self.step}, bound {S}")
            return chosen
        if self.rules.policy == "drop_late":   # whoever finished first trains first; what is too old by then is dropped
            for k in [k for k in self.complete if self.step - _oldest(self.groups[k], self.step) > S]:
                self.ledger.dropped += _tokens(self.groups.pop(k))
                del self.complete[k]
        return list(islice(self.complete, P))

    def _issue(self) -> Outgoing:
        """Hand out tickets: evaluation first, then what was lost, then new ones up to the staleness gate."""
        out: Outgoing = []
        while ticket := self._next_ticket():
            free, peer = self.room.most(max(self.live, 0))
            if free < len(ticket.samples):
                self.reissue.insert(0, ticket)
                return out
            self.servers[peer].give(ticket)
            self.room.changed(peer)
            out.append((peer, ticket))
        if self.finished:
            out += [(p, Stop("finished")) for p in (*self.servers, *self.trainers)]
        return out

    def _next_ticket(self) -> Ticket | None:
        if self.reissue:
            return self.reissue.pop(0)
        if ticket := self.rounds.next_ticket(self.live):
            return ticket
        while self.next_k < self.gate:
            self.next_k += 1
            if ticket := self._open(self.next_k - 1):
                return ticket
        return self.reissue.pop(0) if self.reissue else None

    def _open(self, k: int) -> Ticket | None:
        """A new ticket, for what the journal does not hold of its group; None when that is nothing."""
        group = self.groups[k] = self.journaled.pop(k, {})
        ticket = self._ticket(k, next(iter(group.values())).attempt if group else 0)
        self.ledger.taken_back += _tokens(group)
        if len(group) == self.rules.group_size:
            self._whole(ticket, group)
            return None
        return replace(ticket, samples=tuple(n for n in ticket.samples if n not in group))

    @property
    def gate(self) -> int:
        """Tickets below this number may be out. What a drop-late policy threw away does not count."""
        P, S = self.rules.prompts_per_step, self.rules.max_staleness
        dropped = self.next_k - len(self.groups) - self.step * P
        return min(self.live + S + 1, self.end) * P + dropped

    def _ticket(self, k: int, attempt: int) -> Ticket:
        return Ticket(k, self.prompt_of(k, attempt), tuple(range(self.rules.group_size)), attempt)

    def prompt_of(self, k: int, attempt: int) -> Prompt:
        """The prompt of a training ticket; every further attempt draws from behind the stage's last regular prompt."""
        return self.prompt(k + attempt * self.rules.total_steps * self.rules.prompts_per_step)


def _tokens(group: dict[int, Trajectory]) -> int:
    return sum(len(t.output_ids) for t in group.values())


def _oldest(group: dict[int, Trajectory], step: int) -> int:
    return min((int(t.versions.min()) for t in group.values() if len(t.versions)), default=step)
