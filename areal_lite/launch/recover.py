"""What happens to a run that is there already: it goes on, it is moved aside, or it goes back to a checkpoint.

recover=auto | fresh | PATH. Waits for nothing but the disk; nothing is ever deleted, only renamed.
"""
import dataclasses
import json
import os
import shutil
from pathlib import Path

import psutil

from areal_lite import record
from areal_lite.config import ConfigError, Experiment, Stage
from areal_lite.config.identity import identity, refuse_other
from areal_lite.launch.stages import is_finished, local, stage_dir

WORKERS = ("areal_lite.master", "areal_lite.trainer", "areal_lite.generation")


def refuse(experiment: Experiment, starting: bool = True) -> str:
    """ConfigError when PATH is not a checkpoint of this run's, or when there is a run and nothing says what is to become of
    it; without `starting` the latter is returned."""
    run_dir, recover = Path(experiment.run_dir), experiment.recover
    if recover not in ("", "auto", "fresh"):
        _saved(experiment, Path(recover))
    if recover or not begun(run_dir):
        return ""
    said = (f"{run_dir} holds a run already: {onward(experiment)}, --fresh (recover=fresh) moves it aside, "
            "recover=RUN/STAGE/checkpoints/step-N goes back to a checkpoint, run_dir=DIR starts elsewhere")
    if starting:
        raise ConfigError(said)
    return said


def begun(run_dir: Path) -> bool:
    """There is a run in which a step was made, or whose processes are at work; a start that failed before that is none."""
    if not (run_dir / "config.yaml").exists():
        return False
    done = (f for what in ("metrics.jsonl", "finished.json", "checkpoints/step-*") for f in run_dir.glob(f"*/{what}"))
    return any(f.stat().st_size for f in done) or _at_work(run_dir)


def onward(experiment: Experiment) -> str:
    """What the same command will do with the run as it is now."""
    if not begun(Path(experiment.run_dir)):
        return "the same command starts anew"
    stage = next((s for s in experiment.stages if not is_finished(experiment, s)), None)
    if stage is None:
        return "all of it is finished, --resume (recover=auto) only reports on it again"
    if kept := record.checkpoints(stage_dir(experiment, stage)):
        return f"--resume (recover=auto) continues from version {kept[-1]} of stage {stage.name}"
    return f"--resume (recover=auto) starts stage {stage.name} again, which has no checkpoint"


def _at_work(run_dir: Path) -> bool:
    """Whether a process of this machine works on a stage of the run, or node 0 of several has not said that it stopped."""
    head = run_dir / "head.json"
    if head.exists() and json.loads(head.read_text())["state"] == "running":
        return True
    for p in psutil.process_iter():
        try:
            _, flag, module, stage, *_ = *p.cmdline(), "", "", "", ""
            if flag == "-m" and module in WORKERS and Path(p.cwd(), stage).resolve().parent == run_dir.resolve():
                return True
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return False


def prepare(experiment: Experiment) -> str:
    """Do what experiment.recover says; returns it in words, "" when nothing was to do. After refuse() had nothing to say."""
    run_dir, recover = Path(experiment.run_dir), experiment.recover
    if recover not in ("", "auto", "fresh"):
        return _back_to(experiment, Path(recover))
    if not (run_dir / "config.yaml").exists():
        return ""
    if not recover:
        return f"an earlier start, which made no step, is now in {set_aside(run_dir)}"
    return f"going on with the run in {run_dir}" if recover == "auto" else f"the earlier run is now in {set_aside(run_dir)}"


def set_aside(path: Path) -> Path | None:
    """Move a run or a part of one out of the way; returns where it is now."""
    if not path.exists():
        return None
    n = 1
    while (target := path.with_name(f"{path.name}.{n}")).exists():
        n += 1
    shutil.move(path, target)
    return target


def _saved(experiment: Experiment, checkpoint: Path) -> tuple[Stage, int]:
    """The stage and the version that a checkpoint is of. ConfigError or ValueError when it is of something else."""
    try:
        saved = json.loads((checkpoint / "extra.json").read_text())["caller"]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"recover={checkpoint} is no complete checkpoint ({error}); it is auto, fresh or a directory like "
                          "RUN/STAGE/checkpoints/step-00000100") from error
    names = [s.name for s in experiment.stages]
    if (name := saved["of"]["stage"]) not in names:
        raise ConfigError(f"recover={checkpoint} is of stage {name!r}; this experiment has {', '.join(names)}")
    i = names.index(name)
    if todo := [s.name for s in experiment.stages[:i] if not is_finished(experiment, s)]:
        raise ConfigError(f"recover={checkpoint} is of stage {name}, but {todo[0]} before it is not finished in {experiment.run_dir}")
    stage = experiment.stages[i]
    here = dataclasses.replace(stage, model=dataclasses.replace(stage.model, path=local(stage.model.path)))
    refuse_other(checkpoint, saved["of"], identity(here))
    return stage, saved["version"]


def _back_to(experiment: Experiment, checkpoint: Path) -> str:
    """Make this checkpoint the newest of its stage; what the run made after it is set aside."""
    stage, version = _saved(experiment, checkpoint)
    directory = stage_dir(experiment, stage)
    own = record.checkpoint_dir(directory, version)
    if own.resolve() != checkpoint.resolve():
        partial = own.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(checkpoint, partial)
        set_aside(own)
        os.replace(partial, own)
    for newer in record.checkpoints(directory):
        if newer > version:
            set_aside(record.checkpoint_dir(directory, newer))
    behind = experiment.stages[experiment.stages.index(stage) + 1:]
    for later in (*(directory / name for name in ("finished.json", "export", "journal")), *(stage_dir(experiment, s) for s in behind)):
        set_aside(later)
    return f"going back to version {version} of stage {stage.name}; what came after it is set aside beside it"
