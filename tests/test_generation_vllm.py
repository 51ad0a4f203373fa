"""What we rely on in vLLM, exact against transformers: contract of generation/engine.py and of vLLM 0.32.

fp32 on both sides: differences come from the order of additions only.
"""
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from areal_lite.types import Hello, Loaded, Prompt, Ticket, Trajectory, Update
from tests.serving import PROBE, STAGE, Damaging, Process, gone, ticket
from tests.tiny import logprobs, make_model, perturbed, publish_model

pytestmark = pytest.mark.slow
EXACT = 1e-4
TEMPERATURE = 0.6


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Weights of versions 0, 1, 2, 3 and their directory; made models, so close that their text mixes well."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("vllm")
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("vllm")
    first = make_model(root / "model", endless=True)
    models = [first, *[perturbed(first, seed) for seed in (1, 2, 3)]]
    for version, model in enumerate(models):
        publish_model(root / "weights", version, model, PROBE)
    publish_model(root / "weights", 4, first, PROBE, slice(0, 17))
    return models, root


@pytest.fixture(scope="module")
def played(models):
    """tests/vllm_contract.py, played once: name -> arrays of one answer; and the facts."""
    out = models[1] / "out"
    out.mkdir()
    subprocess.run([sys.executable, "-m", "tests.vllm_contract", models[1] / "model", models[1] / "weights", out],
                   check=True, timeout=240)
    return {f.stem: dict(np.load(f)) for f in out.glob("*.npz")}, json.loads((out / "facts.json").read_text())


def whole(answer):
    return np.concatenate([answer["prompt"], answer["token_ids"]])


def gap(answer, reference, tokens=slice(None)):
    """max |logprob - reference| over some of an answer's tokens; the reference covers prompt and answer."""
    difference = answer["logprobs"] - reference[len(answer["prompt"]):]
    return np.abs(difference[tokens]).max()


def logprobs_over_kept_cache(old, new, ids, switch):
    """As logprobs(), when positions below switch - 1 went through `old`, whose keys and values stay, and the rest
    through `new`."""
    import torch

    ids = torch.as_tensor(ids, dtype=torch.long)[None]
    with torch.no_grad():
        past = old(ids[:, :switch - 1], use_cache=True).past_key_values
        logits = new(ids[:, switch - 1:-1], past_key_values=past, use_cache=True).logits[0] / TEMPERATURE
    scores = torch.log_softmax(logits, -1).gather(-1, ids[0, switch:, None])[:, 0].numpy()
    return np.concatenate([np.zeros(switch, np.float32), scores])


def test_logprobs_are_those_of_the_temperature_that_sampled(models, played):
    for name in ("alone", "seed8"):
        answer = played[0][name]
        assert gap(answer, logprobs(models[0][0], whole(answer), TEMPERATURE)) < EXACT
        assert gap(answer, logprobs(models[0][0], whole(answer))) > 0.1, "temperature 1 would be something else"


def test_greedy_answers_take_the_likeliest_token(models, played):
    answer = played[0]["greedy"]
    import torch

    with torch.no_grad():
        likeliest = models[0][0](torch.as_tensor(whole(answer), dtype=torch.long)[None]).logits[0].argmax(-1)
    assert answer["token_ids"].tolist() == likeliest[len(answer["prompt"]) - 1:-1].tolist()


def test_a_seed_gives_the_same_answer_in_any_company_and_another_seed_another(played):
    names = ("alone", "seed7", "seed8", f"seed{1 << 61}")
    alone, same, other, big = (played[0][name]["token_ids"].tolist() for name in names)
    assert alone == same
    assert alone != other and alone != big and other != big


@pytest.mark.parametrize(("name", "before", "after"), [("kept", 0, 1), ("recomputed", 2, 3)])
def test_every_token_in_flight_is_exact_under_the_version_it_is_stamped_with(models, played, name, before, after):
    for i in range(6):
        answer = played[0][f"{name}{i}"]
        versions = answer["versions"]
        cut = int((versions == before).sum())
        assert versions.tolist() == [before] * cut + [after] * (200 - cut) and 20 < cut < 180
        ids, old, new = whole(answer), models[0][before], models[0][after]
        assert gap(answer, logprobs(old, ids, TEMPERATURE), slice(cut)) < EXACT
        kept = gap(answer, logprobs_over_kept_cache(old, new, ids, len(answer["prompt"]) + cut), slice(cut, None))
        recomputed = gap(answer, logprobs(new, ids, TEMPERATURE), slice(cut, None))
        exact, other = (kept, recomputed) if name == "kept" else (recomputed, kept)
        assert exact < EXACT and other > 100 * EXACT


def test_a_new_request_never_meets_the_prefix_cache_of_older_weights(models, played):
    for name, model in (("cached", models[0][1]), ("salted", models[0][2])):
        answer = played[0][name]
        assert gap(answer, logprobs(model, whole(answer), TEMPERATURE)) < EXACT


def test_a_file_that_lacks_tensors_is_refused_and_the_old_weights_stay(models, played):
    answers, facts = played
    assert facts["half"][0] == "WeightsError" and "version 4 holds 17 tensors, version 0 held 38" in facts["half"][1]
    assert facts["version"] == 3 and (answers["after_refusal"]["versions"] == 3).all()
    assert gap(answers["after_refusal"], logprobs(models[0][3], whole(answers["after_refusal"]), TEMPERATURE)) < EXACT


def test_a_load_that_fails_twice_is_fatal_and_names_version_file_and_tensor(models, played):
    kind, words = played[1]["torn"]
    assert kind == "EngineError"
    assert f"version 4 does not load from {models[1] / 'weights' / 'v00000004'}" in words
    assert "lacks 13 of the model's tensors: model.layers.1.input_layernorm.weight" in words


def test_every_sampled_token_is_counted_once_and_probes_are_not(played):
    assert played[1]["counted"] == played[1]["made"] > 2000


def test_two_real_servers_sample_differently_and_neither_they_nor_vllm_outlive_a_kill(models, tmp_path):
    weights = models[1] / "weights" / "v00000001"
    stage = replace(STAGE, model=replace(STAGE.model, path=str(models[1] / "model")))
    update = Update(1, str(weights), json.loads((weights / "manifest.json").read_text())["checksum"])
    real = "areal_lite.generation"
    with Process(tmp_path, stage, module=real) as one, Process(tmp_path, stage, module=real, index=1) as two:
        samples = [*sampled(one, update, models[0][1]), *sampled(two, update, models[0][1])]
        assert len(set(samples)) == 8, "no sample of one server is a sample of the other"
        children = [psutil.Process(server.process.pid).children(recursive=True) for server in (one, two)]
        core, = [child for child in children[0] if "EngineCore" in " ".join(child.cmdline())]
        core.send_signal(signal.SIGKILL)
        status, (line,) = one.left(5.0)
        assert status == 1 and line.startswith("generation server 0 stops: ") and "EngineCore" in line
        two.process.kill()
        assert gone([*children[0], *children[1]])


def test_a_server_killed_while_vllm_starts_leaves_nothing_behind(models, tmp_path):
    stage, deadline = replace(STAGE, model=replace(STAGE.model, path=str(models[1] / "model"))), time.monotonic() + 60
    with Process(tmp_path, stage, module="areal_lite.generation") as server:
        parent = psutil.Process(server.process.pid)
        while not (cores := [c for c in parent.children() if "EngineCore" in " ".join(c.cmdline())]):
            assert time.monotonic() < deadline and parent.is_running()
            time.sleep(0.02)
        server.process.kill()
        assert gone(cores)


def test_prompts_that_do_not_fit_one_forward_pass_together_are_answered_with_their_seeds(models, tmp_path):
    weights = models[1] / "weights" / "v00000001"
    stage = replace(STAGE, model=replace(STAGE.model, path=str(models[1] / "model")), data=replace(STAGE.data, max_prompt_tokens=1000))
    update = Update(1, str(weights), json.loads((weights / "manifest.json").read_text())["checksum"])
    random = np.random.default_rng(0)
    prompts = [Prompt(f"p{k}", random.integers(2, 60, 900 + k).astype(np.int32), ("1",)) for k in range(8)]     # 7,228 tokens
    with Process(tmp_path, stage, module="areal_lite.generation") as server:
        server.receive(Hello)
        server.send(update)
        server.receive(Loaded)
        server.send(*[Ticket(k, prompt, (0,)) for k, prompt in enumerate(prompts)])
        assert sorted(t.k for t in server.receive(Trajectory, 8)) == list(range(8))


def test_weights_that_the_trainer_sends_are_exact_also_when_they_have_to_be_sent_twice(models, tmp_path, monkeypatch):
    import torch

    from areal_lite.trainer.feeder import Feeder
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    feeder = Feeder("127.0.0.1", torch.device("cpu"), 20.0)

    def publish(version, parts=slice(None)):
        model = models[0][version]
        tensors = [(name, p.detach()) for name, p in model.named_parameters()][parts]
        return Update(version, *feeder.publish(version, "float32", tensors, PROBE, logprobs(model, PROBE)))
    stage = replace(STAGE, model=replace(STAGE.model, path=str(models[1] / "model")))
    with Process(tmp_path, stage, module="areal_lite.generation") as server:
        sampled(server, publish(1), models[0][1])
        update, (manifest, tensors) = publish(2), feeder._held
        feeder._held = manifest, Damaging(tensors)
        assert len(sampled(server, update, models[0][2], before=1)) == 4 and feeder._held[1].times == -1
        server.send(publish(3, slice(0, 17)))
        status, (line,) = server.left()
        assert status == 1 and "version 3 is refused: version 3 holds 17 tensors, version 1 held 38" in line
    feeder.close()


def sampled(server, update, model, before=0):
    """Four answers of a server that has loaded the update, exact under the model. before: versions it has had."""
    if not before:
        server.receive(Hello)
    server.send(update)
    assert server.receive(Loaded)[0].probe_error < EXACT
    server.send(ticket(before))
    answers = server.receive(Trajectory, 4)
    for t in answers:
        ids = np.concatenate([t.prompt_ids, t.output_ids])
        assert np.abs(t.logprobs - logprobs(model, ids)[len(t.prompt_ids):]).max() < EXACT
    return [tuple(t.output_ids.tolist()) for t in answers]
