"""What happens to a run that is there already: it goes on, it is moved aside, or it goes back to a checkpoint.

recover=auto | fresh | PATH. Waits for nothing but the disk; nothing is ever deleted, only renamed.
"""
import dataclasses
import json
import os
import shutil
from pathlib import Path

from areal_lite import record
from areal_lite.config import ConfigError, Experiment, Stage
from areal_lite.config.identity import identity, refuse_other
from areal_lite.launch.stages import is_finished, local, stage_dir


def refuse(experiment: Experiment) -> None:
    """ConfigError when there is a run and nothing says what is to become of it, or when PATH is not a checkpoint of this run's."""
    run_dir, recover = Path(experiment.run_dir), experiment.recover
    if recover not in ("", "auto", "fresh"):
        _saved(experiment, Path(recover))
    if not recover and (run_dir / "config.yaml").exists():
        raise ConfigError(f"{run_dir} holds a run already: --resume (recover=auto) continues it, --fresh (recover=fresh) moves it "
                          "aside, recover=RUN/STAGE/checkpoints/step-N goes back to a checkpoint, run_dir=DIR starts elsewhere")


def prepare(experiment: Experiment) -> str:
    """Do what experiment.recover says; returns it in words, "" when nothing was to do. After refuse() had nothing to say."""
    run_dir, recover = Path(experiment.run_dir), experiment.recover
    if recover not in ("", "auto", "fresh"):
        return _back_to(experiment, Path(recover))
    if not recover or not (run_dir / "config.yaml").exists():
        return ""
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
