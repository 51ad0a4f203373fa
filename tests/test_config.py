"""Configuration: the order of layers, and errors that say what to write instead."""
import dataclasses
from pathlib import Path

import pytest

from areal_lite.config import ConfigError, load, names, read_experiment, read_stage, to_yaml
from areal_lite.config.reference import keys, markdown
from areal_lite.config.schema import Stage
from realhf.config import Optimizer

BASE = """
model: {path: m}
data: {path: d}
algorithm: {group_size: 4, prompts_per_step: 8, minibatches: 2}
trainer: {optimizer: {lr: 1e-5}}
"""
CURRICULUM = """
base: BASE
run_dir: out
stages:
- {name: a, generation: {max_new_tokens: 10}}
- {name: b, generation: {max_new_tokens: 20}, model: {path: "${run_dir}/x"}}
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "two.yaml").write_text(CURRICULUM.replace("BASE", str(tmp_path / "base.yaml")))
    return tmp_path


def run(files, *words, exp="two.yaml"):
    return load([f"exp={files / exp}", *words])


def test_layers_apply_in_order_defaults_base_file_command_line(files):
    a, b = run(files).stages
    assert (a.algorithm.group_size, a.trainer.optimizer.lr, a.trainer.optimizer.betas) == (4, 1e-5, (0.9, 0.95))
    assert (a.generation.max_new_tokens, b.generation.max_new_tokens) == (10, 20) and b.model.path == "out/x"
    a, b = run(files, "generation.max_new_tokens=7", "run_dir=elsewhere").stages
    assert (a.generation.max_new_tokens, b.generation.max_new_tokens, b.model.path) == (7, 7, "elsewhere/x")


def test_a_later_stage_starts_from_the_export_of_the_one_before_it_unless_it_names_a_model(files):
    (files / "three.yaml").write_text(f"base: {files / 'base.yaml'}\nrun_dir: out\nstages:\n"
                                      "- {name: a}\n- {name: b}\n- {name: c, model: {path: other}}\n")
    assert [s.model.path for s in run(files, exp="three.yaml").stages] == ["m", "out/a/export", "other"]


def test_one_stage_can_be_addressed_by_name(files):
    a, b = run(files, "stages.b.generation.max_new_tokens=99").stages
    assert (a.generation.max_new_tokens, b.generation.max_new_tokens) == (10, 99)
    with pytest.raises(ConfigError, match="one of a, b"):
        run(files, "stages.c.generation.max_new_tokens=99")


def test_what_is_written_for_the_children_reads_back_the_same(files, tmp_path):
    experiment = run(files)
    (tmp_path / "config.yaml").write_text(to_yaml(experiment))
    assert read_experiment(tmp_path) == experiment
    (tmp_path / "config.yaml").write_text(to_yaml(experiment.stages[1]))
    assert read_stage(tmp_path) == experiment.stages[1]
    with pytest.raises(ConfigError, match=f"is one stage of a run; give the run_dir itself, {tmp_path.parent}"):
        read_experiment(tmp_path)
    with pytest.raises(ConfigError, match="is not a run directory: it has no config"):
        read_experiment(tmp_path / "empty")


@pytest.mark.parametrize(("word", "message"), [
    ("algorithm.group_sise=3", "did you mean algorithm.group_size"),
    ("max_staleness=3", "did you mean algorithm.max_staleness"),
    ("algoritm.group_size=3", "did you mean algorithm"),
    ("algorithm=3", "group of keys"),
    ("algorithm.group_size=many", "must be a whole number"),
    ("generation.temperature=hot", "must be a number"),
    ("record.tensorboard=3", "true or false"),
    ("algorithm.objective=decopled", "did you mean 'decoupled'"),
    ("trainer.optimizer.betas=[0.9]", "must have 2"),
    ("generation.stop=x", "must be a list"),
    ("nonsense", "key=value"),
    ("algorithm.minibatches=3", "nearest: 2"),
    ("algorithm.max_staleness=-1", "max_staleness is -1, but must not be negative"),
    ("trainer.optimizer.weight_decay=-0.1", "must not be negative"),
    ("cluster.allocation=d2", r"cluster.allocation: .*vllm\.d64p1m1"),
    ("lr=1e-5", r"did you mean trainer\.optimizer\.lr"),
    ("nodez=4", r"did you mean cluster\.nodes"),
    ("tiny=yes", "true or false"),
    ("stages=3", "must be a list"),
    ("make=toys", "must be toy or tiny"),
    ("checkpoint.every_s=", "is empty, but must be"),
    ("generation.temperature=0", "greedy"),
    ("reward.rule=function", "belong together"),
    ("algorithm.objective=naive", "has no effect with objective=naive"),
    ("model.reference=x", "has no effect while"),
    ("generation.max_concurrency=2", "sampled on one server"),
    ("model.path=", "model.path is not set"),
])
def test_a_wrong_word_is_refused_with_what_to_write_instead(files, word, message):
    with pytest.raises(ConfigError, match=message):
        run(files, word)


def test_an_unknown_experiment_names_the_nearest(files):
    with pytest.raises(ConfigError, match=r"no experiment"):
        load(["exp=quickstrat"])
    with pytest.raises(ConfigError, match="say which experiment"):
        load([])
    with pytest.raises(ConfigError, match="did you mean exp=quickstart"):
        load(["quickstart"])
    with pytest.raises(ConfigError, match=r"nowhere\.yaml does not exist"):
        run(files, exp="nowhere.yaml")


def test_a_name_is_looked_up_in_the_users_own_configs_first_and_a_relative_base_beside_its_file(files, monkeypatch):
    (files / "configs").mkdir()
    (files / "configs" / "mine.yaml").write_text("base: ../base.yaml\nalgorithm: {group_size: 2}")
    (files / "configs" / "distill-7b.yaml").write_text("base: mine.yaml\nalgorithm: {minibatches: 1}")
    monkeypatch.chdir(files)
    a = load(["exp=distill-7b"]).stages[0].algorithm
    assert (a.group_size, a.prompts_per_step, a.minibatches) == (2, 8, 1)
    assert {"mine", "distill-7b", "quickstart"} <= set(names()) and len(names()) == len(set(names()))


def test_files_that_cannot_be_read_are_named(files):
    (files / "bad.yaml").write_text("a: [1,")
    with pytest.raises(ConfigError, match=r"bad\.yaml is not a readable YAML"):
        run(files, exp="bad.yaml")
    (files / "loop.yaml").write_text(f"base: {files / 'loop.yaml'}")
    with pytest.raises(ConfigError, match="circle"):
        run(files, exp="loop.yaml")
    (files / "further-loop.yaml").write_text(f"base: ../{files.name}/further-loop.yaml")
    with pytest.raises(ConfigError, match="circle"):
        run(files, exp="further-loop.yaml")
    (files / "typo.yaml").write_text("modle: {path: x}")
    with pytest.raises(ConfigError, match=r"typo\.yaml: no key modle; did you mean model"):
        run(files, exp="typo.yaml")


def test_every_key_of_the_schema_has_a_plain_type_and_can_be_written_back():
    stage = Stage()
    assert dataclasses.asdict(stage)["algorithm"]["group_size"] == 8 and to_yaml(stage)


def test_the_reference_says_something_of_every_key_and_is_current():
    kept = Path(__file__).parents[1] / "configs" / "README.md"
    assert kept.read_text() == markdown(), "python -m areal_lite.config > configs/README.md"
    said = {k.name: k for k in keys(Optimizer)}
    assert (said["betas"].kind, said["betas"].default, said["lr"].default) == ("2 x number", "[0.9, 0.95]", "1e-06")
    assert said["nonfinite"].kind == "stop, skip" and said["grad_clip"].text == "Largest global gradient norm; 0 turns clipping off."
    with pytest.raises(ValueError, match="Silent says nothing under b"):
        keys(Silent)


@dataclasses.dataclass
class Silent:
    a: int = 1
    """Something."""
    b: int = 2
