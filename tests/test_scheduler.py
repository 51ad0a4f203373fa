"""The scheduler as a state machine: every rule with exact tickets, then thousands of random histories."""
import dataclasses
import random

import numpy as np
import pytest

from areal_lite.master.evaluation import EvaluationRounds
from areal_lite.master.ledger import Ledger, LedgerError
from areal_lite.master.rules import Rules
from areal_lite.master.scheduler import Scheduler, StalenessError
from areal_lite.types import Batch, Heartbeat, Hello, Loaded, Missed, Prompt, Stop, Ticket, Trajectory, Update

P, N, S = 2, 3, 1


def prompt(k):
    return Prompt(f"p{k}", np.zeros(4, np.int32), ("1",))


def rules(**kw):
    small = Rules(prompts_per_step=P, group_size=N, max_staleness=S, minibatches=1, total_steps=9, trainer_ranks=1,
                  data_parallel_rank=lambda rank: rank, data_parallel=1)
    return dataclasses.replace(small, **kw)


def scheduler(questions=0, every=0, version=0, trainers=1, journal=(), **kw):
    s = Scheduler(prompt, rules(**kw), EvaluationRounds(prompt, questions, 1, every))
    s.take_back(journal)
    for rank in range(trainers):
        s.on(f"trainer-{rank}", Hello("trainer", rank, 1))
    s.began = s.on("trainer-0", Update(version, f"v{version}", "c"))
    return s


def join(s, name="generation-0", capacity=100, version=None):
    """A server says hello and has loaded what it was told to; returns what it is then sent."""
    out = s.on(name, Hello("generation", int(name[-1]), 1, capacity))
    assert [m.version for m in kinds(out, Update)] == [s.version]
    return s.on(name, Loaded(s.version if version is None else version, "c", 0.0, 0.0))


def kinds(out, kind):
    return [m for _, m in out if isinstance(m, kind)]


def tickets(out):
    return [m for m in kinds(out, Ticket) if m.purpose == "train"]


def answer(ticket, sample, version=0, tokens=5, reward=5.0):
    return Trajectory(ticket.k, ticket.attempt, sample, ticket.purpose, ticket.prompt.token_ids, np.zeros(tokens, np.int32),
                      np.zeros(tokens, np.float32), np.full(tokens, version, np.int32), "stop", reward, "correct", "1", 0.1)


def answers(s, peer, ticket, **kw):
    return [x for sample in ticket.samples for x in s.on(peer, answer(ticket, sample, **kw))]


def test_nothing_is_issued_before_the_trainer_has_said_where_the_weights_are():
    s = Scheduler(prompt, rules(), EvaluationRounds(prompt, 0, 1, 0))
    assert s.on("generation-0", Hello("generation", 0, 1, 100)) == []
    out = s.on("trainer-0", Update(0, "v0", "c"))
    assert [type(m) for _, m in out] == [Update]


def test_a_server_gets_tickets_up_to_the_staleness_gate_once_it_has_the_live_weights():
    assert [t.k for t in tickets(join(scheduler()))] == [0, 1, 2, 3]                 # (0 + S + 1) * P


def test_synchronous_training_issues_one_step_at_a_time():
    assert [t.k for t in tickets(join(scheduler(max_staleness=0)))] == [0, 1]


def test_a_step_is_sent_only_when_its_own_tickets_are_whole():
    s = scheduler()
    t = tickets(join(s))
    for younger in (t[2], t[3]):
        assert answers(s, "generation-0", younger) == []
    out = [x for older in (t[0], t[1]) for x in answers(s, "generation-0", older)]
    (batch,) = kinds(out, Batch)
    assert batch.step == 0 and {x.k for mb in batch.minibatches for x in mb.trajectories} == {0, 1}


def test_a_server_that_came_too_late_for_a_version_is_told_the_newest_and_owes_what_it_owed():
    s = scheduler()
    for x in tickets(join(s))[:2]:
        answers(s, "generation-0", x)
    assert [m.version for m in kinds(s.on("trainer-0", Update(1, "v1", "c")), Update)] == [1]
    owed, late = s.servers["generation-0"].owed, ("generation-1", Hello("generation", 1, 1, 100))
    assert [m.version for m in kinds(s.on(*late), Update)] == [1]
    s.step, s.version, s.latest = 2, 2, Update(2, "v2", "c")             # made while both were on their way to version 1
    assert [(p, m.version) for p, m in s.on("generation-0", Missed(1))] == [("generation-0", 2)]
    assert s.on("generation-0", Missed(1)) == [] and s.servers["generation-0"].owed == owed > 0
    assert [(p, m.version) for p, m in s.on("generation-1", Missed(1))] == [("generation-1", 2)]
    assert kinds(s.on("generation-7", Missed(1)), Stop)


def test_new_tickets_wait_until_every_server_has_loaded_the_update():
    s = scheduler()
    t = tickets(join(s, "generation-0", 6) + join(s, "generation-1", 6))
    where = {ticket.k: p for p, srv in s.servers.items() for ticket in srv.tickets.values()}
    for x in t:
        answers(s, where[x.k], x)
    out = s.on("trainer-0", Update(1, "v1", "c"))
    assert tickets(out) == [] and len(kinds(out, Update)) == 1                       # rolling: one at a time
    first = next(p for p, m in out if isinstance(m, Update))
    out = s.on(first, Loaded(1, "c", 0.0, 0.0))
    assert tickets(out) == []
    (second,) = [p for p, m in out if isinstance(m, Update)]
    assert [x.k for x in tickets(s.on(second, Loaded(1, "c", 0.0, 0.0)))] == [4, 5]


def test_without_rolling_every_server_is_updated_at_once():
    s = scheduler(rolling=False)
    join(s, "generation-0"), join(s, "generation-1")
    s.step = 1                                                                       # as if batch 0 were out
    assert [p for p, m in s.on("trainer-0", Update(1, "v1", "c")) if isinstance(m, Update)] == ["generation-0", "generation-1"]


def test_a_lost_server_gives_back_only_its_unfinished_samples():
    s = scheduler()
    t = tickets(join(s, capacity=3))
    s.on("generation-0", answer(t[0], 1))
    s.lost("generation-0")
    again = tickets(join(s, "generation-1"))
    assert (again[0].k, again[0].samples) == (0, (0, 2))


def test_a_server_declared_lost_that_speaks_again_is_stopped_and_its_answer_is_not_used():
    s = scheduler()
    t = tickets(join(s, capacity=3))
    s.lost("generation-0")
    assert [type(m) for _, m in s.on("generation-0", answer(t[0], 0))] == [Stop]
    assert s.groups[0] == {} and s.ledger.refused == 5


def test_a_duplicate_is_counted_and_not_used_twice():
    s = scheduler()
    t = tickets(join(s))
    s.on("generation-0", answer(t[0], 0)), s.on("generation-0", answer(t[0], 0))
    assert s.duplicates == 1 and len(s.groups[0]) == 1 and s.ledger.refused == 5


def test_a_restarted_server_with_the_same_name_starts_over_and_its_tickets_go_first():
    s = scheduler()
    t = tickets(join(s, capacity=6))
    assert [x.k for x in t] == [0, 1]
    assert [x.k for x in tickets(join(s, capacity=6))] == [0, 1]


def test_what_a_restarted_server_owed_is_sent_to_the_others_in_the_same_breath():
    s = scheduler()
    join(s, "generation-0", 6), join(s, "generation-1", 100)
    owed = {x.k for x in s.servers["generation-0"].tickets.values()}
    out = s.on("generation-0", Hello("generation", 0, 2, 6))
    assert owed and {m.k for p, m in out if isinstance(m, Ticket) and p == "generation-1"} == owed


def test_a_late_server_loads_the_newest_weights_before_it_samples():
    s = scheduler(version=3)
    out = s.on("generation-9", Hello("generation", 9, 1, 100))
    assert [(p, m.version) for p, m in out] == [("generation-9", 3)]


def test_a_resumed_run_continues_at_the_first_ticket_not_yet_trained():
    assert [t.k for t in tickets(join(scheduler(version=5)))] == [5 * P, 5 * P + 1, 5 * P + 2, 5 * P + 3]


def test_no_ticket_is_issued_that_no_step_will_train():
    assert [t.k for t in tickets(join(scheduler(total_steps=1)))] == [0, 1]


def test_the_last_version_is_loaded_and_evaluated_before_everyone_is_stopped():
    s = scheduler(total_steps=1, questions=2)
    out = join(s)
    first = [m for m in kinds(out, Ticket) if m.purpose == "evaluate"]
    assert len(first) == 2
    for t in first + tickets(out):
        answers(s, "generation-0", t)
    assert kinds(s.on("trainer-0", Update(1, "v1", "c")), Stop) == []
    last = kinds(s.on("generation-0", Loaded(1, "c", 0.0, 0.0)), Ticket)
    assert [t.purpose for t in last] == ["evaluate"] * 2 and not s.finished
    out = [x for t in last for x in answers(s, "generation-0", t)]
    assert dict(out) == {"generation-0": Stop("finished"), "trainer-0": Stop("finished")} and s.finished
    assert [r.version for r in s.rounds.done] == [0, 1]


def test_a_stage_that_ends_early_makes_the_step_that_is_out_and_evaluates_the_last_version():
    s = scheduler(questions=1)
    first, *more = kinds(join(s), Ticket)
    answers(s, "generation-0", first)
    for t in more[:P]:
        answers(s, "generation-0", t)
    assert s.step == 1 and s.end_after(0) == [] and s.end == 1
    out = s.on("trainer-0", Update(1, "v1", "c")) + s.on("generation-0", Loaded(1, "c", 0.0, 0.0))
    (last,) = kinds(out, Ticket)
    assert last.purpose == "evaluate"
    assert set(dict(answers(s, "generation-0", last))) == {"generation-0", "trainer-0"} and s.finished

    idle = scheduler(questions=1)
    (ticket, *_) = kinds(join(idle), Ticket)
    answers(idle, "generation-0", ticket)
    assert [m.purpose for m in kinds(idle.end_after(0), Ticket)] == ["evaluate"]


def test_each_rank_gets_the_batch_of_its_data_parallel_coordinate():
    s = scheduler(trainers=4, trainer_ranks=4, data_parallel=2, data_parallel_rank=lambda rank: rank // 2)
    out = [x for t in tickets(join(s)) for x in answers(s, "generation-0", t)]
    got = {p: {(t.k, t.sample) for mb in m.minibatches for t in mb.trajectories} for p, m in out if isinstance(m, Batch)}
    assert got["trainer-0"] == got["trainer-1"] and got["trainer-2"] == got["trainer-3"]
    assert got["trainer-0"] | got["trainer-2"] == {(k, i) for k in range(P) for i in range(N)}
    assert not got["trainer-0"] & got["trainer-2"]


def test_a_group_without_variance_is_reissued_under_its_number_with_another_prompt():
    s = scheduler(filter_zero_variance=True, max_attempts=2)
    t = tickets(join(s))
    (again,) = tickets(answers(s, "generation-0", t[0]))
    assert (again.k, again.attempt, again.prompt.id) == (0, 1, f"p{9 * P}") and s.ledger.filtered == 15
    assert answers(s, "generation-0", t[0]) == [] and s.ledger.refused == 15          # late answers to the old prompt
    answers(s, "generation-0", again)
    assert list(s.complete) == [0]                                                        # the last attempt is trained as it is


def test_count_based_admission_trains_whoever_finishes_first_and_drop_late_throws_the_stragglers_away():
    for policy, dropped in (("count", 0), ("drop_late", 15)):
        s = scheduler(policy=policy)
        t = tickets(join(s))
        for k in (1, 2, 3):
            answers(s, "generation-0", t[k])
        s.on("trainer-0", Update(1, "v1", "c"))
        more = tickets(s.on("generation-0", Loaded(1, "c", 0.0, 0.0)))
        answers(s, "generation-0", more[0], version=1)
        s.on("trainer-0", Update(2, "v2", "c"))
        s.on("generation-0", Loaded(2, "c", 0.0, 0.0))
        answers(s, "generation-0", t[0], version=0)                                   # finished at step 2 with version 0
        answers(s, "generation-0", more[1], version=1)
        assert s.ledger.dropped == dropped


def test_a_token_older_than_the_bound_stops_the_run():
    s = scheduler(version=5)
    t = tickets(join(s))
    with pytest.raises(StalenessError, match="ticket 10 holds a token of version 3"):
        for x in t:
            answers(s, "generation-0", x, version=3)


def test_versions_that_skip_or_repeat_are_an_error():
    s = scheduler(version=3)
    with pytest.raises(ValueError, match="sent version 5 after version 3"):
        s.on("trainer-0", Update(5, "v5", "c"))


def test_tokens_begun_on_a_lost_server_are_in_the_ledger():
    s = scheduler()
    t = tickets(join(s))
    s.on("generation-0", answer(t[0], 0))
    s.on("generation-0", Heartbeat("generating", 0.0, {"generated_tokens": 40}))
    s.lost("generation-0")
    assert s.ledger.lost == 35


def test_a_ledger_that_does_not_add_up_stops_the_run():
    Ledger(received=10, trained=7).check(waiting=3)
    with pytest.raises(LedgerError, match="10 tokens arrived .* but 9"):
        Ledger(received=10, trained=7).check(waiting=2)


def test_fewer_updates_than_versions_keep_the_bound_and_do_not_deadlock():
    world = World(random.Random(1), steps=12, update_every=S + 1)
    world.play()
    assert world.loads <= 3 * (12 // 2 + 1)                        # three servers, every second version


class World:
    """Random servers, trainer and failures around one scheduler; the clock is an order of events."""

    def __init__(self, source, steps, servers=3, failures=0.0, **kw):
        self.random, self.failures, self.steps = source, failures, steps
        self.s = scheduler(total_steps=steps, **kw)
        self.staleness = kw.get("max_staleness", S)
        self.inbox = {}                        # peer -> messages not yet acted on
        self.version = {}
        self.trained, self.seen, self.loads, self.born, self.batches, self.issued = [], [], 0, 0, {}, []
        self.deliver(self.s.began)
        for _ in range(servers):
            self.born_server()

    def born_server(self):
        name = f"generation-{self.born % 10}" if self.born < 10 else f"g-{self.born}"
        self.born += 1
        self.inbox[name], self.version[name] = [], 0
        self.deliver(self.s.on(name, Hello("generation", self.born, 1, self.random.choice((3, 6, 20)))))

    def deliver(self, out):
        for peer, m in out:
            if isinstance(m, Batch):
                self.inbox.setdefault("trainer-0", []).append(m)
            elif isinstance(m, Ticket):
                self.inbox[peer] += [(m, i, []) for i in m.samples]
                self.issued += [(m.k, m.attempt, i) for i in m.samples]
            elif peer in self.inbox:
                self.inbox[peer].insert(0, m)

    def play(self, events=200_000):
        for _ in range(events):
            if self.s.finished:
                return
            busy = [p for p, box in self.inbox.items() if box]
            assert busy, "deadlock"
            servers = [p for p in self.inbox if p != "trainer-0"]
            if self.random.random() < self.failures and servers:
                victim = self.random.choice(servers)
                if self.random.random() < 0.5:         # noticed by its silence, and another one comes
                    del self.inbox[victim]
                    self.deliver(self.s.lost(victim))
                    self.born_server()
                else:                                  # back under its own name before anyone noticed
                    self.inbox[victim], self.version[victim] = [], 0
                    self.deliver(self.s.on(victim, Hello("generation", 0, 1, self.random.choice((3, 6, 20)))))
                continue
            self.act(self.random.choice(busy))
        assert events < 200_000, "the run does not end"

    def act(self, peer):
        box = self.inbox[peer]
        m = box.pop(0 if not isinstance(box[0], tuple) else self.random.randrange(len(box)))
        match m:
            case Batch():
                for t in (t for mb in m.minibatches for t in mb.trajectories):
                    self.trained.append((m.step, t.k, t.sample))
                    self.batches.setdefault(m.step, []).append((t.k, t.attempt, t.sample, tuple(t.versions)))
                    self.seen.append(m.step - int(t.versions.min()))
                self.deliver(self.s.on(peer, Update(m.step + 1, "", "")))
            case Update():
                self.version[peer], self.loads = m.version, self.loads + 1
                self.deliver(self.s.on(peer, Loaded(m.version, "", 0.0, 0.0)))
            case (ticket, sample, versions):
                versions.append(self.version[peer])            # a token under the weights of now
                if len(versions) < 4 and self.random.random() < 0.7:
                    box.append(m)
                else:
                    reward = self.random.choice((5.0, -5.0))
                    done = dataclasses.replace(answer(ticket, sample, tokens=len(versions), reward=reward),
                                               versions=np.array(versions, np.int32))
                    self.deliver(self.s.on(peer, done))


@pytest.mark.parametrize("seed", range(60))
def test_in_any_history_every_ticket_is_trained_once_in_order_within_the_bound_and_the_ledger_adds_up(seed):
    source = random.Random(seed)
    world = World(source, steps=source.choice((3, 10)), servers=source.choice((1, 2, 5)),
                  failures=source.choice((0, 0.002, 0.02)), max_staleness=source.choice((0, 1, 2, 4)),
                  filter_zero_variance=source.random() < 0.3, rolling=source.random() < 0.5)
    world.play()
    assert [k for _, k, _ in sorted(world.trained)] == sorted(k for k in range(world.steps * P) for _ in range(N))
    assert len(set(world.trained)) == len(world.trained) and all(step == k // P for step, k, _ in world.trained)
    assert max(world.seen) <= world.staleness
    ledger = world.s.ledger
    assert ledger.received == ledger.trained + ledger.filtered + ledger.refused and ledger.dropped == 0


@pytest.mark.parametrize("seed", range(60))
def test_after_a_crash_nothing_that_the_journal_holds_is_made_again_and_its_batches_are_the_same(seed):
    source = random.Random(seed)
    kw = {"steps": 8, "servers": source.choice((1, 3)), "failures": source.choice((0, 0.01)),
          "max_staleness": source.choice((0, 1, 3)), "filter_zero_variance": source.random() < 0.3}
    before, journal = World(source, **kw), []
    before.s.accepted = journal.append
    before.play(source.choice((20, 100, 300)))
    saved = max(0, before.s.version - source.choice((0, 1, 2)))          # the newest checkpoint
    after = World(source, version=saved, journal=[t for t in journal if t.k >= saved * P], **kw)
    after.play()
    held = {(t.k, t.attempt, t.sample) for t in journal if t.k >= saved * P}
    assert not held & set(after.issued)
    for step in range(saved, max(before.batches, default=-1) + 1):
        assert sorted(after.batches[step]) == sorted(before.batches[step])
    assert [k for _, k, _ in sorted(after.trained)] == sorted(k for k in range(saved * P, 8 * P) for _ in range(N))
    assert max(after.seen, default=0) <= kw["max_staleness"]
    ledger = after.s.ledger
    assert ledger.received + ledger.taken_back == ledger.trained + ledger.filtered + ledger.refused


def test_answers_that_a_tighter_bound_forbids_are_not_taken_back():
    held = [answer(Ticket(k, prompt(k), (0, 1, 2)), n, version=0) for k in (0, 1, 4, 5) for n in range(3)]
    s = scheduler(journal=held, max_staleness=1)               # tickets 4 and 5 are of step 2, two versions later
    assert [t.k for t in tickets(join(s))] == [2, 3] and s.ledger.taken_back == 2 * 3 * 5 and not s.journaled


def test_answers_to_other_prompts_than_this_runs_are_not_taken_back():
    ticket = Ticket(0, dataclasses.replace(prompt(0), token_ids=np.ones(4, np.int32)), (0, 1, 2))
    s = scheduler(journal=[answer(ticket, n) for n in range(3)])
    assert [t.k for t in tickets(join(s))] == [0, 1, 2, 3] and s.ledger.taken_back == 0


def test_ten_thousand_steps_with_failures_keep_the_bound():
    world = World(random.Random(0), steps=10_000, servers=3, failures=0.001, prompts_per_step=1, group_size=2, max_staleness=2)
    for _ in range(10):
        try:
            world.play()
        except AssertionError as error:
            if "does not end" not in str(error):
                raise
    assert world.s.finished and max(world.seen) <= 2 and len(world.trained) == 20_000
