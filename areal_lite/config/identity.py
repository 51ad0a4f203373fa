"""Which files of a run belong to a stage as it is configured now: checkpoints, and journaled answers."""
import hashlib
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from areal_lite.config.schema import Stage


def identity(stage: Stage) -> dict[str, object]:
    """What must be equal for a checkpoint to be this stage's own: another order of prompts or another batch shape is not."""
    a = stage.algorithm
    return {"stage": stage.name, "model.path": stage.model.path, "data.path": stage.data.path, "seed": stage.seed,
            "algorithm.prompts_per_step": a.prompts_per_step, "algorithm.group_size": a.group_size,
            "algorithm.minibatches": a.minibatches, "generation.max_new_tokens": stage.generation.max_new_tokens}


def of_answers(stage: Stage) -> dict[str, object]:
    """What must be equal besides for an answer and its reward to be what this stage would have made of the same ticket."""
    g, function = stage.generation, Path(stage.reward.function.rpartition(":")[0])
    code = hashlib.sha256(function.read_bytes()).hexdigest() if function.is_file() else verifier()
    return {**identity(stage), "code": code, "data": asdict(stage.data), "reward": asdict(stage.reward), "temperature": g.temperature,
            "stop": list(g.stop), "filter_groups": stage.algorithm.filter_groups, "steps": stage.until.steps}


def verifier() -> str:
    """Names the code that verdicts come from, the libraries' included."""
    files = sorted((Path(__file__).parents[1] / "rewards").glob("*.py"))
    libraries = "".join(version(name) for name in ("sympy", "math-verify", "latex2sympy2-extended"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files) + libraries.encode()).hexdigest()[:8]


def refuse_other(path: Path, saved: dict[str, object], wanted: dict[str, object]) -> None:
    """ValueError naming every field in which the checkpoint belongs to something else."""
    if odd := [f"{k} was {saved.get(k)!r} and is {v!r} now" for k, v in wanted.items() if saved.get(k) != v]:
        raise ValueError(f"checkpoint {path} is of another run: {'; '.join(odd)}. Give this run its own run_dir, or restore them")
