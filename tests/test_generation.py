"""A generation server: every ticket answered, every token stamped, no weights served that were not checked."""
import asyncio
import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from areal_lite.config.schema import Evaluation
from areal_lite.generation.engine import EngineError, Output, stop_token_ids
from areal_lite.generation.server import Server
from areal_lite.rewards.pool import VerifierPool
from areal_lite.streams import Broken
from areal_lite.types import Hello, Loaded, Missed, Stop, Trajectory, Update
from areal_lite.weights import WeightsError
from tests.fakes import FakeEngine, FakeSpoke
from tests.serving import PROBE, STAGE, publish_fake, ticket
from tests.tiny import BOX, CLOSE, EOS, ZERO, A, write_tokenizer


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("fake_model")
    write_tokenizer(directory)
    return directory


@pytest.fixture(scope="module")
def pool():
    pool = VerifierPool(1, 5.0, 2048)
    yield pool
    pool.close()


class Serving:
    """A server in this process, around the fake engine."""

    def __init__(self, model_dir, pool, stage=STAGE, index=0, restart=0, **engine):
        self.engine, self.spoke, self.inbox = FakeEngine(stage, **engine), FakeSpoke(), asyncio.Queue()
        tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        self.server = Server(stage, index, restart, self.engine, pool, tokenizer, stop_token_ids(str(model_dir)))

    def play(self, scenario):
        """Run scenario(self) beside the server, then say Stop."""
        async def both():
            async with asyncio.timeout(180):
                served = asyncio.create_task(self.server.run(self.spoke, self.inbox))
                playing = asyncio.create_task(scenario(self))
                await asyncio.wait([served, playing], return_when=asyncio.FIRST_COMPLETED)
                if not served.done():
                    self.inbox.put_nowait(Stop("enough"))
                else:
                    playing.cancel()
                await served
                await playing
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(both())
        return self.spoke


def trajectories(n):
    return lambda spoke: len(spoke.of(Trajectory)) >= n


def loads(n):
    return lambda spoke: len(spoke.of(Loaded)) >= n


def answered(serving, *tickets, update):
    """The trajectories of `tickets` under one update."""
    async def scenario(s):
        s.inbox.put_nowait(update)
        await s.spoke.until(loads(1))
        for t in tickets:
            s.inbox.put_nowait(t)
        await s.spoke.until(trajectories(sum(len(t.samples) for t in tickets)))
    return serving.play(scenario).of(Trajectory)


def test_a_ticket_becomes_one_scored_trajectory_per_wanted_sample(model_dir, pool, tmp_path):
    serving = Serving(model_dir, pool)
    got = answered(serving, ticket(4, samples=(0, 2, 5)), ticket(9, samples=(1,)), update=publish_fake(tmp_path, 3))
    assert sorted((t.k, t.sample) for t in got) == [(4, 0), (4, 2), (4, 5), (9, 1)]
    for t in got:
        tokens = FakeEngine.tokens(t.prompt_ids, serving.server.sampling(ticket(t.k), t.sample))
        right = tokens[-4:] == [BOX, ZERO + 3, CLOSE, EOS]
        assert t.output_ids.tolist() == tokens
        assert t.finish == ("stop" if tokens[-1] == EOS else "length")
        assert t.versions.tolist() == [3] * len(tokens)
        assert np.allclose(t.logprobs, [FakeEngine.logprob(3, i, x) for i, x in enumerate(tokens)])
        assert t.reward == (5.0 if right else -5.0)
        assert (t.outcome == "correct") == right and t.answer == ("3" if right else t.answer)
    hello, loaded = serving.spoke.sent[:2]
    assert hello == Hello("generation", 0, os.getpid(), 8)
    assert (loaded.version, loaded.probe_error) == (3, 0.0)


def test_the_stop_token_and_special_tokens_do_not_reach_the_verifier(model_dir, pool):
    server = Serving(model_dir, pool).server
    nothing = np.zeros(0, np.float32)
    for ids, text in (([BOX, ZERO + 7, CLOSE, EOS], "\\boxed{7}"), ([A, A + 1], "ab"), ([EOS], ""), ([], "")):
        assert server.text(Output(np.array(ids, np.int32), nothing, nothing, "stop")) == text


def test_training_and_evaluation_are_sampled_by_their_own_settings(model_dir, pool):
    stage = replace(STAGE, generation=replace(STAGE.generation, temperature=0.6),
                    evaluation=Evaluation(temperature=0.8, top_p=0.95, max_new_tokens=100))
    server = Serving(model_dir, pool, stage).server
    train, evaluate = server.sampling(ticket(), 0), server.sampling(ticket(purpose="evaluate"), 0)
    assert (train.temperature, train.top_p, train.max_tokens) == (0.6, 1.0, 24)
    assert (evaluate.temperature, evaluate.top_p, evaluate.max_tokens) == (0.8, 0.95, 100)


def test_every_sample_has_a_seed_of_its_own_that_its_server_gives_again(model_dir, pool):
    def seeds(stage=STAGE, purpose="train", **where):
        server = Serving(model_dir, pool, stage, **where).server
        return [server.sampling(ticket(k, purpose=purpose, attempt=a), s).seed
                for k in (0, 1) for a in (0, 1) for s in (0, 1)]
    everywhere = [*seeds(), *seeds(index=1), *seeds(restart=1), *seeds(replace(STAGE, seed=6))]
    assert len(set(everywhere)) == len(everywhere) == 32
    assert seeds() == seeds()
    assert all(0 <= s < 1 << 62 for s in everywhere)
    measured = seeds(purpose="evaluate")
    assert measured == seeds(purpose="evaluate", index=1) == seeds(purpose="evaluate", restart=1)
    assert len({*everywhere, *measured, *seeds(replace(STAGE, seed=6), purpose="evaluate")}) == 48


def test_an_update_without_a_path_lets_a_server_work_with_the_weights_it_started_with(model_dir, pool):
    serving = Serving(model_dir, pool)
    got = answered(serving, ticket(purpose="evaluate"), update=Update(40, "", ""))
    assert serving.spoke.of(Loaded) == [Loaded(40, "", 0.0, 0.0)]
    assert {v for t in got for v in t.versions.tolist()} == {40} and len(got) == 4


def test_answers_in_flight_go_on_under_new_weights_and_say_which_token_had_which(model_dir, pool, tmp_path):
    stage = replace(STAGE, generation=replace(STAGE.generation, max_new_tokens=4000))

    async def scenario(s):
        s.inbox.put_nowait(publish_fake(tmp_path, 0))
        await s.spoke.until(loads(1))
        s.inbox.put_nowait(ticket())
        while s.engine.generated_tokens < 100:
            await asyncio.sleep(0)
        s.inbox.put_nowait(publish_fake(tmp_path, 1))
        await s.spoke.until(trajectories(4))
    mixed = 0
    for t in Serving(model_dir, pool, stage).play(scenario).of(Trajectory):
        wanted = [FakeEngine.logprob(v, i, x) for i, (v, x) in enumerate(zip(t.versions, t.output_ids, strict=True))]
        assert np.allclose(t.logprobs, wanted)
        assert (np.diff(t.versions) >= 0).all()
        mixed += len(set(t.versions)) == 2
    assert mixed


def test_of_several_waiting_versions_the_last_is_applied_and_acknowledged(model_dir, pool, tmp_path):
    updates = [publish_fake(tmp_path, v) for v in range(4)]

    async def scenario(s):
        for update in updates[:3]:
            s.inbox.put_nowait(update)
        await s.spoke.until(loads(1))
        s.inbox.put_nowait(updates[3])
        await s.spoke.until(loads(2))
        s.inbox.put_nowait(updates[3])
        await s.spoke.until(loads(3))
    serving = Serving(model_dir, pool, load_s=0.01)
    got = serving.play(scenario).of(Loaded)
    assert [(m.version, m.checksum) for m in got] == [(v, updates[v].checksum) for v in (2, 3, 3)]
    assert serving.engine.loads == [2, 3], "the repeated message is answered without a second load"


def test_nothing_is_sent_that_was_finished_under_weights_whose_probe_had_not_passed(model_dir, pool, tmp_path):
    async def scenario(s):
        s.inbox.put_nowait(publish_fake(tmp_path, 0))
        await s.spoke.until(loads(1))
        s.engine._probe_off, s.engine._token_s = 1.0, 0.001
        s.inbox.put_nowait(ticket())
        while s.engine.generated_tokens < 4:
            await asyncio.sleep(0)
        s.inbox.put_nowait(publish_fake(tmp_path, 1))
        await s.spoke.until(trajectories(4))
    serving = Serving(model_dir, pool)
    with pytest.RaisesGroup(pytest.RaisesExc(EngineError, match="version 1 .* loaded wrongly.* differ by 1 .*0.0001")):
        serving.play(scenario)
    assert [m.version for m in serving.spoke.of(Loaded)] == [0]
    assert not any((t.versions == 1).any() for t in serving.spoke.of(Trajectory))


@pytest.mark.parametrize(("damage", "reason"), [
    (lambda file: file.write_bytes(file.read_bytes()[:-1] + b"x"), "version 1 is refused: .*checksum .*damaged"),
    (lambda file: file.write_bytes(b""), "version 1 is refused: .*0 bytes, the manifest says"),
    (lambda file: file.unlink(), "version 1 is refused: .*cannot be read"),
    (lambda file: (file.parent / "manifest.json").write_text("{"), "version 1 is refused: .*not a readable"),
])
def test_a_damaged_weight_file_is_refused_before_anything_stops(model_dir, pool, tmp_path, damage, reason):
    async def scenario(s):
        s.inbox.put_nowait(publish_fake(tmp_path, 0))
        await s.spoke.until(loads(1))
        update = publish_fake(tmp_path, 1)
        damage(Path(update.path) / "weights.bin")
        s.inbox.put_nowait(update)
        await s.spoke.until(loads(2))
    serving = Serving(model_dir, pool)
    with pytest.RaisesGroup(pytest.RaisesExc(WeightsError, match=reason)):
        serving.play(scenario)
    assert serving.engine.version == 0


def test_other_tensors_than_the_first_version_held_are_refused(model_dir, pool, tmp_path):
    async def scenario(s):
        s.inbox.put_nowait(publish_fake(tmp_path, 0, names=("w", "v")))
        await s.spoke.until(loads(1))
        s.inbox.put_nowait(publish_fake(tmp_path, 1, names=("w",)))
        await s.spoke.until(loads(2))
    serving = Serving(model_dir, pool)
    with pytest.RaisesGroup(pytest.RaisesExc(WeightsError, match="version 1 is refused.*holds 1 tensors.*differ in v")):
        serving.play(scenario)


def test_a_dead_engine_ends_the_server_even_when_nobody_waits_for_it(model_dir, pool, tmp_path):
    async def scenario(s):
        s.inbox.put_nowait(publish_fake(tmp_path, 0))
        await s.spoke.until(loads(1))
        s.engine.errored = True
        await s.spoke.until(trajectories(1))
    with pytest.RaisesGroup(pytest.RaisesExc(EngineError, match="EngineCore has died")):
        Serving(model_dir, pool).play(scenario)


def test_the_heartbeat_counts_tokens_of_unfinished_answers_too(model_dir, pool, tmp_path):
    stage = replace(STAGE, generation=replace(STAGE.generation, max_new_tokens=100000, max_concurrency=2))

    async def scenario(s):
        s.inbox.put_nowait(publish_fake(tmp_path, 0))
        await s.spoke.until(loads(1))
        s.inbox.put_nowait(ticket(samples=(0, 1, 2)))
        while s.spoke.totals.get("generated_tokens", 0) < 500:
            await asyncio.sleep(0)
    totals = Serving(model_dir, pool, stage, token_s=0.0005).play(scenario).totals
    assert (totals["running"], totals["queued"], totals["scoring"], totals["updates"]) == (2, 1, 0, 1)


@pytest.mark.parametrize(("files", "ids"), [
    ({"generation_config.json": {"eos_token_id": [9, 4]}, "config.json": {"eos_token_id": 1}}, [4, 9]),
    ({"generation_config.json": {}, "config.json": {"eos_token_id": 1}}, [1]),
    ({"config.json": {"eos_token_id": 0}}, [0]),
])
def test_stop_tokens_are_those_of_the_generation_config_then_of_the_config(tmp_path, files, ids):
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    assert stop_token_ids(str(tmp_path)) == ids


def test_a_model_without_an_end_is_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="no eos_token_id .* never stop"):
        stop_token_ids(str(tmp_path))


def test_when_the_connection_breaks_it_forgets_what_it_owed_and_joins_anew_with_the_weights_it_holds(model_dir, pool, tmp_path):
    serving = Serving(model_dir, pool, token_s=0.01)

    async def scenario(s):
        first, later = publish_fake(tmp_path, 3), publish_fake(tmp_path, 2)
        s.inbox.put_nowait(first)
        await s.spoke.until(lambda spoke: spoke.of(Loaded))
        s.inbox.put_nowait(ticket(0))
        while s.engine.generated_tokens < 8:
            await asyncio.sleep(0.005)
        s.inbox.put_nowait(Broken("cut"))
        await s.spoke.until(lambda spoke: len(spoke.of(Hello)) == 2)
        joined = s.spoke.sent.index(s.spoke.of(Hello)[1], 1)
        s.inbox.put_nowait(first)                              # the same master: nothing to load again
        await s.spoke.until(lambda spoke: len(spoke.of(Loaded)) == 2)
        s.inbox.put_nowait(later)                              # one that went back to its checkpoint
        await s.spoke.until(lambda spoke: len(spoke.of(Loaded)) == 3)
        s.inbox.put_nowait(ticket(1))
        await s.spoke.until(lambda spoke: {(t.k, t.sample) for t in spoke.sent[joined:] if isinstance(t, Trajectory)}
                            >= {(1, i) for i in range(4)})
        after = [t for t in s.spoke.sent[joined:] if isinstance(t, Trajectory)]
        assert {t.k for t in after} == {1} and all((t.versions == 2).all() for t in after)
        assert s.engine.loads == [3, 2] and s.spoke.totals["generated_tokens"] <= sum(len(t.output_ids) for t in after)
    serving.play(scenario)


def test_a_load_for_a_master_that_has_gone_is_not_acknowledged_to_the_next_one(model_dir, pool, tmp_path):
    serving = Serving(model_dir, pool, load_s=0.3)

    async def scenario(s):
        of_before, later = publish_fake(tmp_path, 10), publish_fake(tmp_path, 8)
        s.inbox.put_nowait(of_before)
        while s.spoke.note != "loading version 10":
            await asyncio.sleep(0.005)
        s.inbox.put_nowait(Broken("the master has gone"))
        await s.spoke.until(lambda spoke: len(spoke.of(Hello)) == 2)
        while s.engine.loads != [10]:
            await asyncio.sleep(0.005)
        s.inbox.put_nowait(later)
        await s.spoke.until(loads(1))
        assert [m.version for m in s.spoke.of(Loaded)] == [8] and s.engine.loads == [10, 8]
    serving.play(scenario)


def test_a_stop_in_the_moment_in_which_a_load_is_done_is_not_lost(model_dir, pool, tmp_path):
    serving = Serving(model_dir, pool)

    async def scenario(s):
        probing, answer = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def probe(token_ids):
            probing.set()
            return await answer
        s.engine.probe = probe
        s.inbox.put_nowait(publish_fake(tmp_path, 0))
        await probing.wait()
        answer.set_result(np.array([0.0, -1.0, -2.0], np.float32))
        s.inbox.put_nowait(Stop("enough"))
        await s.spoke.until(lambda spoke: False)           # run() ends and cancels this
    serving.play(scenario)


@pytest.fixture
def feeder(monkeypatch):
    """Calls give a new trainer's: publish(version) -> Update."""
    torch = pytest.importorskip("torch")
    from areal_lite.trainer.feeder import Feeder
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    made = []

    def make():
        made.append(Feeder("127.0.0.1", torch.device("cpu"), 5.0))

        def publish(version, feeder=made[-1]):
            return Update(version, *feeder.publish(version, "float32", [("w", torch.full((4,), float(version)))], PROBE, (0, -1, -2)))
        return publish
    yield make
    for one in made:
        one.close()


def test_a_server_asks_the_trainer_for_its_weights_and_for_the_newest_when_it_came_too_late(model_dir, pool, feeder):
    publish, serving = feeder(), Serving(model_dir, pool)
    first, second = publish(2), publish(3)

    async def scenario(s):
        s.inbox.put_nowait(first)
        await s.spoke.until(lambda spoke: spoke.of(Missed))
        s.inbox.put_nowait(second)
        await s.spoke.until(loads(1))
        s.inbox.put_nowait(ticket())
        await s.spoke.until(trajectories(4))
        s.inbox.put_nowait(publish(4))
        await s.spoke.until(loads(2))
    spoke = serving.play(scenario)
    assert spoke.of(Missed) == [Missed(2)] and serving.engine.loads == [3, 4]
    assert [(m.version, m.checksum) for m in spoke.of(Loaded)][:1] == [(3, second.checksum)]


def test_a_server_outlives_the_trainer_it_asks_and_of_the_next_one_wants_only_what_it_does_not_hold(model_dir, pool, feeder):
    publish, serving = feeder(), Serving(model_dir, pool)
    first = publish(2)

    async def scenario(s):
        s.inbox.put_nowait(first)
        await s.spoke.until(loads(1))
        s.inbox.put_nowait(replace(first, version=3, path="direct://127.0.0.1:9"))       # it died before it could answer
        while s.spoke.note != "loading version 3":
            await asyncio.sleep(0.01)
        s.inbox.put_nowait(Broken("the master has gone"))
        again = feeder()
        s.inbox.put_nowait(again(2))                                                     # from its checkpoint: the same numbers
        await s.spoke.until(loads(2))
        s.inbox.put_nowait(again(3))
        await s.spoke.until(loads(3))
    spoke = serving.play(scenario)
    assert [(m.version, m.checksum == first.checksum) for m in spoke.of(Loaded)] == [(2, True), (2, True), (3, False)]
    assert serving.engine.loads == [2, 3]


def test_a_trainer_that_cannot_be_reached_or_offers_something_else_ends_the_server_with_its_name(model_dir, pool, feeder):
    async def scenario(s):
        s.inbox.put_nowait(update)
        await s.spoke.until(loads(1))
    update = Update(3, "direct://127.0.0.1:9", "0" * 32)
    serving = Serving(model_dir, pool, replace(STAGE, generation=replace(STAGE.generation, update_timeout_s=0.6)))
    with pytest.raises(ExceptionGroup) as several:
        serving.play(scenario)
    error, = several.value.exceptions
    assert isinstance(error, EngineError) and "refused" in str(error)
    assert str(error).startswith("generation-0 did not get version 3 from direct://127.0.0.1:9: ")
    update = replace(feeder()(3), checksum="0" * 32)
    with pytest.raises(ExceptionGroup) as several:
        Serving(model_dir, pool).play(scenario)
    error, = several.value.exceptions
    assert str(error).startswith("version 3 is refused: direct://127.0.0.1:") and "is not the update's" in str(error)
