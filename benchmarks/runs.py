"""Short runs for benchmarks: one stage of an experiment, from a cold-started model that is made once, through the launcher.

Waits for the launcher of each run. A finished run is not repeated. Meanwhile cpu.jsonl gets a row for every step that was
seen: CPU seconds so far of the generation side (server, engine, verifier) and of the trainer. On a machine that others use
too those tell the phases apart from the waiting for a core.
"""
import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import yaml

from areal_lite import record
from areal_lite.config import ConfigError, Experiment, Stage, load


def experiment_in(directory: Path, words: list[str]) -> Experiment:
    """The words' experiment, quickstart unless they name one, with its cold start in DIRECTORY/cold."""
    first = [] if any(w.startswith("exp=") for w in words) else ["exp=quickstart"]
    return load([*first, *words, f"run_dir={directory / 'cold'}"])


def chosen(directory: Path, words: list[str], name: str, default: int) -> tuple[Experiment, Stage]:
    """experiment_in, and its stage of reinforcement learning called `name`; without a name number `default`, or the last.

    SystemExit with what to change.
    """
    try:
        experiment = experiment_in(directory, words)
    except ConfigError as error:
        raise SystemExit(f"error: {error}") from None
    stages = rl_stages(experiment)
    found = [s for s in stages if s.name == name] if name else (stages[default:] or stages[-1:])
    if not found:
        raise SystemExit(f"error: no stage {name!r} of reinforcement learning; there are {', '.join(s.name for s in stages) or 'none'}")
    return experiment, found[0]


def arguments(parser: argparse.ArgumentParser, stage: str, out: str) -> None:
    """What every benchmark of short runs can be told: words, --stage (without it `stage`, in words) and --out."""
    parser.add_argument("words", nargs="*", metavar="key=value", help="exp=NAME first (default exp=quickstart)")
    parser.add_argument("--stage", default="", help=f"of reinforcement learning; default: {stage}")
    parser.add_argument("--out", type=Path, default=Path(out), help="the cold start and finished runs here are kept (default %(default)s)")


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
        _launch(alone(stage, directory, **changes), directory)
    return done


def alone(stage: Stage, directory: Path, **changes: dict) -> dict:
    """The experiment of only this stage in DIRECTORY, as YAML has it; changes as run()'s."""
    stage = dataclasses.replace(stage, **{k: dataclasses.replace(getattr(stage, k), **v) if isinstance(v, dict) else v
                                          for k, v in changes.items()})
    return {"name": directory.name, "run_dir": str(directory), "stages": [_plain(stage)]}


def rows(stage_dir: Path, file: str = "metrics.jsonl") -> list[dict]:
    """Of one of its files."""
    return list(record.read(stage_dir / file))


def _plain(stage: Stage) -> dict:
    """Without the types YAML has no word for."""
    return json.loads(json.dumps(dataclasses.asdict(stage)))


def prepare(tree: dict, directory: Path) -> Path:
    """Write the experiment beside its directory, which a run that was cut short may have left there; returns the file."""
    if directory.exists():
        shutil.rmtree(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    file = directory.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(tree, sort_keys=False))
    return file


def _launch(tree: dict, directory: Path) -> None:
    file = prepare(tree, directory)
    with open(directory.with_suffix(".log"), "w+") as log:
        launcher = subprocess.Popen([sys.executable, "-m", "areal_lite.launch", f"exp={file}"], stdout=log, stderr=log,
                                    stdin=subprocess.DEVNULL)
        try:
            _watch(launcher, directory / tree["stages"][-1]["name"])
        finally:
            launcher.terminate()               # no more than a word to one that has ended; else it stops its children
            launcher.wait()
        if launcher.returncode:
            log.seek(0)
            raise RuntimeError(f"{directory} failed:\n{log.read()[-3000:]}")


def _watch(launcher: subprocess.Popen, stage_dir: Path) -> None:
    """Until it ends, write down what each side's processes have used at every new step."""
    seen, before = 0, {}
    while launcher.poll() is None:
        time.sleep(0.1)
        steps = len(rows(stage_dir))
        if steps > seen and (used := cpu_seconds(launcher.pid)) and all(used[side] >= before.get(side, 0.0) for side in used):
            seen, before = steps, used                     # less than before: some of them have ended already
            record.append(stage_dir / "cpu.jsonl", {"steps": steps, **used})


def cpu_seconds(launcher: int) -> dict[str, float]:
    """CPU seconds of the launcher's generation and trainer processes with all their children; {} when they have gone."""
    used = {"generation": 0.0, "trainer": 0.0}
    try:
        for child in psutil.Process(launcher).children():
            side = next((s for s in used if f"areal_lite.{s}" in child.cmdline()), "")
            if side:
                times = [p.cpu_times() for p in (child, *child.children(recursive=True))]
                used[side] += sum(t.user + t.system for t in times)
    except psutil.NoSuchProcess:
        return {}
    return used
