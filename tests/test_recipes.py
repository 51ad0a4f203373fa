"""Recipes: the resolved numbers of every config against the published ones, typed by hand; and their tiny twins."""
import json
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from areal_lite import weights
from areal_lite.config import ConfigError, load, names, read_words
from areal_lite.config.load import CONFIGS
from areal_lite.evaluation.settings import Settings
from areal_lite.templates import TEMPLATES
from realhf.allocation import check_cluster, parse

ROOT = Path(__file__).parents[1]
AREAL = {
    "algorithm.prompts_per_step": 1024, "algorithm.group_size": 8, "algorithm.minibatches": 4,
    "algorithm.advantage": "global",
    "algorithm.clip_low": 0.2, "algorithm.clip_high": 0.2, "algorithm.kl_loss": 0.0, "algorithm.entropy_bonus": 0.0,
    "algorithm.max_mean_ratio": 5.0, "algorithm.filter_groups": "none",
    "reward.rule": "correctness", "reward.correct": 5.0, "reward.wrong": -5.0, "reward.max_abs": 20.0,
    "data.max_prompt_tokens": 2048, "data.difficulty": "",
    "trainer.optimizer.betas": (0.9, 0.95), "trainer.optimizer.eps": 1e-5, "trainer.optimizer.weight_decay": 0.05,
    "trainer.optimizer.grad_clip": 1.0, "trainer.optimizer.schedule": "constant",
    "trainer.optimizer.warmup_fraction": 0.02,
    "generation.max_concurrency": 128, "generation.stop": (), "seed": 1, "until.epochs": 10.0,
    "checkpoint.every_s": 600.0, "checkpoint.retries": 10, "checkpoint.export_every_steps": 39, "model.reference": "",
    "cluster.nodes": 16, "cluster.gpus_per_node": 8,
}
DISTILL = AREAL | {
    "data.path": "agentica-org/DeepScaleR-Preview-Dataset", "data.template": "areal-distill",
    "generation.temperature": 0.6,
}
DISTILL_1B = DISTILL | {
    "algorithm.kl_reward": 0.001, "trainer.optimizer.lr": 1e-5, "cluster.allocation": "vllm.d64p1m1+d32p2m1"}
STAGE_1 = DISTILL_1B | {
    "model.path": "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "generation.max_new_tokens": 8192,
    "trainer.max_tokens_per_microbatch": 2048 + 8192 + 1024, "until.steps": 0}
STAGE_2 = DISTILL_1B | {
    "model.path": "inclusionAI/AReaL-1.5B-Preview-Stage-1", "generation.max_new_tokens": 16384,
    "trainer.max_tokens_per_microbatch": 2048 + 16384 + 1024, "until.steps": 0}
STAGE_3 = DISTILL_1B | {
    "model.path": "inclusionAI/AReaL-1.5B-Preview-Stage-2", "generation.max_new_tokens": 24000,
    "trainer.max_tokens_per_microbatch": 2048 + 24000 + 1024, "until.steps": 0}
ZERO = AREAL | {
    "model.path": "Qwen/Qwen2.5-7B", "data.template": "orz", "algorithm.prompts_per_step": 512,
    "algorithm.group_size": 64,
    "algorithm.kl_reward": 0.0, "trainer.optimizer.lr": 1e-6, "generation.temperature": 1.0, "reward.correct": 1.0,
    "reward.wrong": 0.0, "generation.max_new_tokens": 24000, "trainer.max_tokens_per_microbatch": 2048 + 24000 + 1024,
    "cluster.allocation": "vllm.d16p1m4+d32p2m1", "checkpoint.export_every_steps": 50}
SIMPLERL = {
    "kind": "rl", "model.path": "Qwen/Qwen2.5-Math-7B", "data.template": "qwen25-math-cot",
    "data.max_prompt_tokens": 1024,
    "data.path": "hkust-nlp/SimpleRL-Zoo-Data:simplelr_qwen_level3to5/train.parquet",
    "generation.max_new_tokens": 3000, "generation.temperature": 0.6,
    "generation.stop": ("</s>", "<|im_end|>", "<|endoftext|>", "<|im_start|>user", "<|im_start|>assistant"),
    "reward.rule": "simplerl", "reward.max_abs": 10.0,
    "algorithm.prompts_per_step": 1024, "algorithm.group_size": 8, "algorithm.minibatches": 64,
    "algorithm.advantage": "global", "algorithm.kl_reward": 0.01, "algorithm.kl_loss": 0.0, "algorithm.clip_low": 0.2,
    "algorithm.clip_high": 0.2, "trainer.optimizer.lr": 5e-7, "trainer.optimizer.schedule": "cosine",
    "trainer.optimizer.min_lr_ratio": 0.1, "trainer.optimizer.warmup_fraction": 0.03,
    "trainer.optimizer.betas": (0.9, 0.95), "until.epochs": 20.0, "until.steps": 0,
}
COLD_START = {
    "kind": "sft", "model.path": "Qwen/Qwen2.5-Math-7B", "data.format": "sft", "data.template": "qwen25-math-cot",
    "algorithm.group_size": 1, "algorithm.minibatches": 1, "algorithm.kl_reward": 0.0}


def zoo(model, subset, template, kl=1e-4, response=8192):
    return [{
        "model.path": model, "data.path": f"hkust-nlp/SimpleRL-Zoo-Data:{subset}/train.parquet",
        "data.template": template,
        "algorithm.kl_loss": kl, "generation.max_new_tokens": response, "data.max_prompt_tokens": 1024,
        "algorithm.prompts_per_step": 1024, "algorithm.group_size": 8, "algorithm.minibatches": 4,
        "algorithm.advantage": "group", "algorithm.kl_reward": 0.0, "algorithm.entropy_bonus": 0.001,
        "algorithm.clip_low": 0.2, "algorithm.clip_high": 0.2, "generation.temperature": 1.0, "generation.stop": (),
        "reward.rule": "correctness", "reward.correct": 1.0, "reward.wrong": 0.0,
        "trainer.optimizer.lr": 5e-7, "trainer.optimizer.betas": (0.9, 0.999), "trainer.optimizer.weight_decay": 0.01,
        "trainer.optimizer.grad_clip": 1.0, "trainer.optimizer.schedule": "constant",
        "trainer.optimizer.warmup_fraction": 0.0, "until.steps": 100, "checkpoint.export_every_steps": 5,
    }]


EASY, MEDIUM, HARD = "simplelr_abel_gsm8k_level1", "simplelr_abel_level1to4", "simplelr_abel_level3to5"
HARD_CHAT = "simplelr_qwen_level3to5"
RECIPES = {
    "distill-1.5b-stage1": [STAGE_1],
    "distill-1.5b-stage2": [STAGE_2],
    "distill-1.5b-stage3": [STAGE_3],
    "distill-1.5b": [STAGE_1 | {"name": "8k", "until.steps": 200},
                     STAGE_2 | {"name": "16k", "until.steps": 358 - 200, "model.path": "runs/distill-1.5b/8k/export"},
                     STAGE_3 | {"name": "24k", "until.steps": 437 - 358, "model.path": "runs/distill-1.5b/16k/export"}],
    "distill-7b": [DISTILL | {
        "model.path": "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "algorithm.group_size": 16,
        "algorithm.kl_reward": 0.01,
        "trainer.optimizer.lr": 1e-6, "generation.max_new_tokens": 16384, "cluster.allocation": "vllm.d16p1m4+d32p2m1",
        "trainer.max_tokens_per_microbatch": 2048 + 16384 + 1024}],
    "qwen2.5-7b-zero-orz": [ZERO | {"data.path": "Open-Reasoner-Zero/orz_math_57k_collection", "until.steps": 200}],
    "qwen2.5-7b-zero-deepscaler": [ZERO | {"data.path": "agentica-org/DeepScaleR-Preview-Dataset", "until.steps": 150}],
    "simplerl-zero-qwen2.5-math-7b": [SIMPLERL],
    "simplerl-qwen2.5-math-7b": [
        COLD_START | {"name": "sft"},
        SIMPLERL | {"name": "rl", "model.path": "runs/simplerl-qwen2.5-math-7b/sft/export"}],
    "simplerl-zoo-mistral-7b": zoo("mistralai/Mistral-7B-v0.1", EASY, "abel"),
    "simplerl-zoo-llama-3.1-8b": zoo("meta-llama/Llama-3.1-8B", EASY, "abel"),
    "simplerl-zoo-deepseek-math-7b": zoo("deepseek-ai/deepseek-math-7b-base", EASY, "qwen-boxed"),
    "simplerl-zoo-qwen2.5-0.5b": zoo("Qwen/Qwen2.5-0.5B", MEDIUM, "abel"),
    "simplerl-zoo-qwen2.5-1.5b": zoo("Qwen/Qwen2.5-1.5B", HARD, "abel"),
    "simplerl-zoo-qwen2.5-7b": zoo("Qwen/Qwen2.5-7B", HARD_CHAT, "qwen-boxed"),
    "simplerl-zoo-qwen2.5-math-7b": zoo("Qwen/Qwen2.5-Math-7B", HARD_CHAT, "qwen-boxed", response=3072),
    "simplerl-zoo-qwen2.5-14b": zoo("Qwen/Qwen2.5-14B", HARD_CHAT, "qwen-boxed"),
    "simplerl-zoo-mistral-small-24b": zoo("mistralai/Mistral-Small-24B-Base-2501", HARD_CHAT, "qwen-boxed", kl=1e-3),
    "simplerl-zoo-qwen2.5-32b": zoo("Qwen/Qwen2.5-32B", HARD_CHAT, "qwen-boxed", kl=1e-3),
}
TINY = {
    "cluster.device": "cpu", "cluster.nodes": 1, "cluster.allocation": "vllm.d1p1m1+d1p1m1", "model.dtype": "float32",
    "trainer.compute_dtype": "float32", "algorithm.prompts_per_step": 4, "algorithm.group_size": 4,
    "until.steps": 2, "data.limit": 64}


def resolved(stage, key):
    for part in key.split("."):
        stage = getattr(stage, part)
    return stage


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_resolves_to_the_published_numbers(name):
    experiment = load([f"exp={name}"])
    for stage, expected in zip(experiment.stages, RECIPES[name], strict=True):
        assert {key: resolved(stage, key) for key in expected} == expected
        assert stage.data.template in TEMPLATES
    assert (experiment.name, experiment.run_dir, experiment.make) == (name, f"runs/{name}", "") and experiment.recipe


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipes_allocation_fills_its_cluster(name):
    for stage in load([f"exp={name}"]).stages:
        check_cluster(parse(stage.cluster.allocation), stage.cluster.nodes, stage.cluster.gpus_per_node)


@pytest.mark.parametrize("words", [  # the other allocations that the headers name
    ["exp=distill-1.5b", "cluster.nodes=4", "cluster.allocation=vllm.d16p1m1+d8p2m1"],
    ["exp=distill-1.5b", "cluster.nodes=1", "cluster.allocation=vllm.d4p1m1+d2p2m1"],
    ["exp=distill-7b", "cluster.nodes=4", "cluster.allocation=vllm.d4p1m4+d8p2m1"],
])
def test_the_smaller_clusters_named_in_a_header_fit(words):
    for stage in load(words).stages:
        check_cluster(parse(stage.cluster.allocation), stage.cluster.nodes, stage.cluster.gpus_per_node)


def test_every_shipped_recipe_is_pinned_here():
    assert set(names()) - {"quickstart"} == set(RECIPES)


@pytest.mark.parametrize(("name", "published"), [
    ("eval-areal-v0.1", ("areal-distill", 32, 0.6, 0.95, 32768)), ("eval-simplerl", ("qwen25-math-cot", 1, 0, 1, 3000)),
    ("eval-simplerl-zoo", ("qwen-boxed", 1, 1.0, 0.95, 16000))])
def test_an_evaluation_starts_from_published_settings_and_words_go_over_them(name, published):
    s = read_words(Settings, [f"exp={name}", "model=m"])
    assert (s.template, s.n, s.temperature, s.top_p, s.max_tokens) == published and s.protocol == "qwen"
    assert set(s.benchmarks) <= {"aime24", "amc23", "math500", "gsm8k", "minerva_math", "olympiadbench"}
    said = read_words(Settings, ["model=m", "benchmarks=aime24", f"exp={name}", "max_tokens=9"])
    assert (said.benchmarks, said.max_tokens, said.template) == (("aime24",), 9, published[0])


def test_supervised_rows_are_refused_where_answers_are_rewarded():
    with pytest.raises(ConfigError, match="data.format=sft rows have a response but no gold"):
        load(["exp=simplerl-zoo-qwen2.5-7b", "data.format=sft"])


def test_the_contexts_of_a_tiny_curriculum_grow_as_the_recipes_do():
    def contexts(*words):
        return [s.generation.max_new_tokens for s in load(["exp=distill-1.5b", "tiny=true", "data.path=rows.json", *words]).stages]
    assert contexts() == [32, 64, 93]
    assert contexts("generation.max_new_tokens=40") == [40, 40, 40]
    assert contexts("stages.16k.generation.max_new_tokens=50") == [32, 50, 93]


def test_simplerl_makes_64_updates_of_128_answers_a_step():
    algorithm = load(["exp=simplerl-zero-qwen2.5-math-7b"]).stages[0].algorithm
    assert algorithm.prompts_per_step * algorithm.group_size // algorithm.minibatches == 128
    zoo_algorithm = load(["exp=simplerl-zoo-qwen2.5-7b"]).stages[0].algorithm
    assert zoo_algorithm.prompts_per_step // zoo_algorithm.minibatches == 256


def test_the_stages_of_a_curriculum_differ_in_name_start_context_and_length_alone():
    first, *later = load(["exp=distill-1.5b"]).stages
    differ = {"name", "model.path", "generation.max_new_tokens", "trainer.max_tokens_per_microbatch", "until.steps"}
    for stage in later:
        assert {key for key in leaves(first) if resolved(stage, key) != resolved(first, key)} == differ


def leaves(thing, prefix=""):
    for field in thing.__dataclass_fields__:
        value = getattr(thing, field)
        yield from leaves(value, f"{prefix}{field}.") if hasattr(value, "__dataclass_fields__") else [prefix + field]


@pytest.mark.parametrize("name", RECIPES)
def test_a_tiny_twin_keeps_the_shape_and_runs_on_a_cpu(name):
    full, tiny = load([f"exp={name}"]), load([f"exp={name}", "tiny=true", "data.path=rows.json"])
    assert (tiny.make, tiny.run_dir) == ("tiny", f"runs/{name}-tiny")
    same = ["name", "kind", "data.template", "data.format", "reward", "generation.temperature", "generation.stop",
            "algorithm.advantage", "algorithm.kl_reward", "algorithm.kl_loss", "trainer.optimizer"]
    for a, b in zip(full.stages, tiny.stages, strict=True):
        assert [resolved(a, key) for key in same] == [resolved(b, key) for key in same]
        assert {key: resolved(b, key) for key in TINY} == TINY
        assert b.data.path == "rows.json"
    starts = ["tiny/model", *(f"{stage.name}/export" for stage in tiny.stages[:-1])]
    assert [stage.model.path for stage in tiny.stages] == [f"runs/{name}-tiny/{start}" for start in starts]


@pytest.mark.slow
def test_the_tiny_twin_of_the_curriculum_hands_over_twice_and_each_stage_starts_from_the_export_before_it(tmp_path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps({"id": str(i), "prompt": f"{i}+1=", "answers": [str(i + 1)]}) + "\n" for i in range(16)))
    run, later = tmp_path / "run", {"16k": "8k", "24k": "16k"}
    words = ["exp=distill-1.5b", "tiny=true", f"data.path={rows}", f"run_dir={run}", "trainer.optimizer.lr=0.01",
             *(f"stages.{stage}.cluster.weights_dir={tmp_path / stage}" for stage in later)]
    with open(tmp_path / "log", "w") as log, subprocess.Popen(
            [sys.executable, "-m", "tests.fake_launch", *words], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT) as launched:
        started = {}
        end = time.monotonic() + 240
        try:
            for stage in later:
                while not (manifest := next((tmp_path / stage).glob("*/v00000000/manifest.json"), None)):
                    assert launched.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
                    time.sleep(0.01)
                started[stage] = published(manifest.parent)
            assert launched.wait(end - time.monotonic()) == 0
        finally:
            launched.terminate()
    begun = load_file(run / "tiny" / "model" / "model.safetensors")
    for stage, before in later.items():
        exported = load_file(run / before / "export" / "model.safetensors")
        assert started[stage].keys() == exported.keys() == begun.keys()
        assert all(np.array_equal(started[stage][name], exported[name]) for name in exported)
        assert not all(np.array_equal(begun[name], exported[name]) for name in exported), "the stage before has learnt"
    assert [json.loads((run / s / "finished.json").read_text()) for s in ("8k", "16k", "24k")] == [{"version": 2}] * 3


def published(directory):
    """name -> array of one published version."""
    entries, held = weights.read_manifest(directory).entries, (directory / "weights.bin").read_bytes()
    return {e.name: np.frombuffer(held, np.float32, math.prod(e.shape), e.offset).reshape(e.shape) for e in entries}


def test_every_config_says_in_its_header_what_it_is():
    for file in CONFIGS.glob("*.yaml"):
        assert file.read_text("utf-8").startswith("# "), file.name
