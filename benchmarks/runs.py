"""Short runs for benchmarks: one stage of an experiment, from a cold-started model that is made once, through the launcher.

Waits for the launcher of each run. A finished run is not repeated.
"""
import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from areal_lite import record
from areal_lite.config import Experiment, Stage, load


def experiment_in(directory: Path, words: list[str]) -> Experiment:
    """The experiment with its cold start in DIRECTORY/cold."""
    return load([*words, f"run_dir={directory / 'cold'}"])


def rl_stages(experiment: Experiment) -> list[Stage]:
    """Its stages of reinforcement learning, each from the cold start's export instead of the stage before it."""
    cold = [s for s in experiment.stages if s.kind == "sft"]
    path = f"{experiment.run_dir}/{cold[-1].name}/export" if cold else experiment.stages[0].model.path
    return [dataclasses.replace(s, model=dataclasses.replace(s.model, path=path)) for s in experiment.stages if s.kind == "rl"]


def cold_start(experiment: Experiment) -> None:
    """Make the experiment's model and data and run its supervised stages, unless that has been done."""
    directory, stages = Path(experiment.run_dir), [s for s in experiment.stages if s.kind == "sft"]
    if all((directory / s.name / "finished.json").exists() for s in stages):
        return
    tree = {"name": "cold", "run_dir": str(directory), "make": experiment.make, "stages": [_plain(s) for s in stages]}
    _launch(tree, directory)


def run(stage: Stage, directory: Path, **changes: dict) -> Path:
    """Run this stage alone in DIRECTORY, its sections changed: algorithm={"max_staleness": 0}. Returns the stage directory.

    RuntimeError with the launcher's last lines when it fails.
    """
    done = directory / stage.name
    if not (done / "finished.json").exists():
        stage = dataclasses.replace(stage, **{k: dataclasses.replace(getattr(stage, k), **v) if isinstance(v, dict) else v
                                              for k, v in changes.items()})
        _launch({"name": directory.name, "run_dir": str(directory), "stages": [_plain(stage)]}, directory)
    return done


def rows(stage_dir: Path, file: str = "metrics.jsonl") -> list[dict]:
    """Of one of its files."""
    return list(record.read(stage_dir / file))


def _plain(stage: Stage) -> dict:
    """Without the types YAML has no word for."""
    return json.loads(json.dumps(dataclasses.asdict(stage)))


def _launch(tree: dict, directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)               # of a run that was cut short
    directory.parent.mkdir(parents=True, exist_ok=True)
    file = directory.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(tree, sort_keys=False))
    done = subprocess.run([sys.executable, "-m", "areal_lite.launch", f"exp={file}"], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{directory} failed:\n{(done.stdout + done.stderr)[-3000:]}")
