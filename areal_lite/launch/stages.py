"""An Experiment -> the stages as they will really run: local model paths, counted steps, directories, written configs."""
import dataclasses
import hashlib
import math
import os
from pathlib import Path

from areal_lite import dataset, record
from areal_lite.config import Experiment, Stage, to_yaml


def resolve(experiment: Experiment, stage: Stage) -> Stage:
    """The stage with steps counted from epochs and the place where its weights are published.

    Reads the data and the tokenizer of the stage's model. ValueError says what is wrong with them.
    """
    model = dataclasses.replace(stage.model, path=local(stage.model.path), reference=local(stage.model.reference))
    cluster = dataclasses.replace(stage.cluster, weights_dir=weights_dir(experiment, stage))
    stage = dataclasses.replace(stage, model=model, cluster=cluster)
    if stage.until.steps:
        return stage
    rows = len(load_data(stage))
    steps = max(1, math.floor(stage.until.epochs * rows / stage.algorithm.prompts_per_step))
    return dataclasses.replace(stage, until=dataclasses.replace(stage.until, steps=steps))


def local(model: str) -> str:
    """A model's directory on this machine; a hub name is fetched first. ValueError when there is no such model."""
    if not model or Path(model).is_dir():
        return model
    import huggingface_hub
    try:
        return huggingface_hub.snapshot_download(model, ignore_patterns=["*.bin", "*.pth", "*.gguf"])
    except (OSError, ValueError, huggingface_hub.errors.HfHubHTTPError) as error:
        raise ValueError(f"model {model!r} is no directory and could not be fetched from the hub: {error}") from error


def load_data(stage: Stage, tokenizer_of: str = "") -> dataset.Dataset:
    """The stage's training rows, tokenised by its model's tokenizer or that of `tokenizer_of`."""
    data = stage.data
    return dataset.load(data.path, tokenizer_of or stage.model.path, format=data.format, difficulty=data.difficulty,
                        limit=data.limit, decontaminate=data.decontaminate, template=data.template,
                        max_prompt_tokens=data.max_prompt_tokens, seed=stage.seed, golds=stage.reward.rule != "function")


def load_held_out(stage: Stage, tokenizer_of: str = "") -> dataset.Dataset:
    """The rows of evaluation.path, likewise. They need golds whatever the reward is: accuracy is what is measured."""
    data, ev = stage.data, stage.evaluation
    return dataset.load(ev.path, tokenizer_of or stage.model.path, format=ev.format, limit=ev.limit, template=data.template,
                        max_prompt_tokens=data.max_prompt_tokens)


def weights_dir(experiment: Experiment, stage: Stage) -> str:
    """Shared memory on one node, the run directory on several, unless the configuration says where; "" without files."""
    if stage.cluster.weights_transport != "files":
        return ""
    directory = stage_dir(experiment, stage).resolve()
    own = f"areal-lite-{hashlib.sha1(str(directory).encode()).hexdigest()[:12]}"           # it is removed at the stage's end
    if stage.cluster.weights_dir:
        return f"{stage.cluster.weights_dir}/{own}"
    if stage.cluster.nodes > 1 or not os.path.isdir("/dev/shm"):
        return str(directory / "weights")
    return f"/dev/shm/{own}"


def stage_dir(experiment: Experiment, stage: Stage) -> Path:
    """RUN/<stage name>."""
    return Path(experiment.run_dir) / stage.name


def is_finished(experiment: Experiment, stage: Stage) -> bool:
    """The stage's model has been exported."""
    return (stage_dir(experiment, stage) / "finished.json").exists()


def write_configs(experiment: Experiment, stage: Stage) -> Path:
    """Write the run's and the stage's resolved configuration; returns the stage directory."""
    directory = stage_dir(experiment, stage)
    directory.mkdir(parents=True, exist_ok=True)
    record.write(Path(experiment.run_dir) / "config.yaml", to_yaml(experiment))
    record.write(directory / "config.yaml", to_yaml(stage))
    return directory
