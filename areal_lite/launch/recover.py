"""What happens to a run that is there already: it goes on, it is moved aside, or it goes back to a checkpoint.

recover=auto | fresh | PATH. Waits for nothing but the disk; nothing is ever deleted, only renamed.
"""
import json
import os
import shutil
from pathlib import Path

from areal_lite import record
from areal_lite.config import ConfigError, Experiment
from areal_lite.config.identity import identity, refuse_other
from areal_lite.launch.stages import is_finished, stage_dir


def prepare(experiment: Experiment) -> str:
    """Do what experiment.recover says; returns it in words, "" when nothing was to do.

    ConfigError when there is a run and nothing says what is to become of it, or when PATH is not a checkpoint of this run's.
    """
    run_dir, recover = Path(experiment.run_dir), experiment.recover
    started = (run_dir / "config.yaml").exists()
    if recover == "fresh":
        return f"the earlier run is now in {set_aside(run_dir)}" if started else ""
    if recover == "auto":
        return f"going on with the run in {run_dir}" if started else ""
    if recover:
        return _back_to(experiment, Path(recover))
    if started:
        raise ConfigError(f"{run_dir} holds a run already: --resume (recover=auto) continues it, --fresh (recover=fresh) moves it "
                          "aside, recover=RUN/STAGE/checkpoints/step-N goes back to a checkpoint, run_dir=DIR starts elsewhere")
    return ""


def set_aside(path: Path) -> Path | None:
    """Move a run or a part of one out of the way; returns where it is now."""
    if not path.exists():
        return None
    n = 1
    while (target := path.with_name(f"{path.name}.{n}")).exists():
        n += 1
    shutil.move(path, target)
    return target


def _back_to(experiment: Experiment, checkpoint: Path) -> str:
    """Make this checkpoint the newest of its stage; what the run made after it is set aside."""
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
    refuse_other(checkpoint, saved["of"], identity(experiment.stages[i]))
    directory = stage_dir(experiment, experiment.stages[i])
    own = directory / "checkpoints" / checkpoint.name
    if not own.exists():
        shutil.copytree(checkpoint, own.with_suffix(".partial"))
        os.replace(own.with_suffix(".partial"), own)
    for version in record.checkpoints(directory):
        if version > saved["version"]:
            set_aside(directory / "checkpoints" / f"step-{version:08d}")
    for later in (directory / "finished.json", directory / "export", *(stage_dir(experiment, s) for s in experiment.stages[i + 1:])):
        set_aside(later)
    return f"going back to version {saved['version']} of stage {name}; what came after it is set aside beside it"
