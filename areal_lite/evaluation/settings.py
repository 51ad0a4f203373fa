"""What an evaluation is told, which models that means, and the file names that carry all of it.

A result is reused only where its name is equal: directory = model and a fingerprint of its weights, file = benchmark,
every sampling setting, and a fingerprint of the very prompts and golds.
"""
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import xxhash

from areal_lite.config import read_experiment
from areal_lite.config.schema import Cluster, Data, Evaluation, Generation, Model, Reward, Stage
from areal_lite.evaluation.questions import Question
from areal_lite.launch.stages import local
from areal_lite.templates import NAMES

_BLOCKS, _BLOCK = 64, 64 << 10


@dataclass(frozen=True)
class Settings:
    """Keys of `python -m areal_lite.evaluate`."""
    model: str = ""
    """Hugging Face directory or hub name. Or:"""
    run: str = ""
    """Run directory: its start model and every export of every stage, in order."""
    benchmarks: tuple[str, ...] = ("aime24", "amc23", "math500", "gsm8k", "minerva_math", "olympiadbench")
    """Names below data, or paths of files."""
    data: str = "."
    """Directory with NAME/test.jsonl or NAME.jsonl (the Qwen harness's layout)."""
    out: str = "evaluation"
    """Where results go, and where finished ones are found again."""
    template: str = ""
    """By name (areal_lite/templates.py), or chat, the model's own. Empty: the run's own; with model= it has to be said."""
    n: int = 1
    """Answers to each question."""
    temperature: float = 0.6
    """0 is greedy."""
    top_p: float = 0.95
    """Sample from the likeliest tokens that together have this probability; 1 is all."""
    max_tokens: int = 16000
    """An answer is cut here."""
    stop: tuple[str, ...] = ()
    """Texts that end an answer, besides the model's end-of-sequence tokens."""
    seed: int = 1
    """Of sampling; another one gives other answers, kept beside the first."""
    limit: int = 0
    """Only the first questions of each benchmark; 0 is all."""
    protocol: Literal["ours", "math-verify", "qwen"] = "ours"
    """How answers are compared with the golds: ours, math-verify or qwen."""
    second: Literal["", "ours", "math-verify", "qwen"] = ""
    """Grade again by this protocol, also what is finished, and list where the two disagree."""
    servers: int = 1
    """Generation servers on this node."""
    tensor: int = 1
    """GPUs per server."""
    concurrency: int = 128
    """Answers one server works on at once."""
    device: Literal["cuda", "cpu"] = "cuda"
    """cuda or cpu."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """bfloat16 or float32."""
    verifiers: int = 1
    """Verifier processes per server."""
    hang_s: float = 900.0
    """Not a token anywhere for this long: stop, and say who was waited for."""

    def __post_init__(self):
        wrong = [f"{key} is {value}, but must be positive" for key, value in
                 {k: getattr(self, k) for k in ("n", "max_tokens", "servers", "tensor", "concurrency", "verifiers")}.items()
                 if value < 1]
        if bool(self.model) == bool(self.run):
            wrong.append("say either model=DIRECTORY or run=DIRECTORY")
        if self.temperature == 0 and self.n > 1:
            wrong.append(f"temperature=0 is greedy: n={self.n} equal answers say no more than one")
        if self.temperature < 0 or not 0 < self.top_p <= 1:
            wrong.append(f"temperature={self.temperature} must not be negative, top_p={self.top_p} must be in (0, 1]")
        if self.second == self.protocol:
            wrong.append(f"second={self.second} is the first grader too; name another protocol")
        if wrong:
            raise ValueError("; ".join(wrong))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One model to be evaluated."""
    label: str
    path: str
    step: int
    """Optimizer steps over all stages of its run; 0 for a model without one."""

    @property
    def directory(self) -> str:
        """Name of its result directory."""
        return f"{self.label}@{fingerprint(self.path)}"


def checkpoints(settings: Settings) -> list[Checkpoint]:
    """The models, oldest first. ValueError when there is none."""
    if settings.model:
        path = Path(settings.model).absolute()
        whose = f"{path.parent.name}-" if path.name in ("export", "model") else ""
        step = re.fullmatch(r"step-(\d+)", path.name)
        return [Checkpoint(f"{whose}{path.name}", local(settings.model), int(step[1]) if step else 0)]
    run, found, before = Path(settings.run), [], 0
    for i, stage in enumerate(read_experiment(run).stages):
        if i == 0 and Path(stage.model.path).is_dir():
            found.append(Checkpoint(f"{run.name}-start", stage.model.path, 0))
        exports = {int(p.name[5:]): p for p in (run / stage.name / "exports").glob("step-[0-9]*[0-9]")}
        last = run / stage.name / "finished.json"
        if last.exists():
            exports[int(json.loads(last.read_text())["version"])] = run / stage.name / "export"
        found += [Checkpoint(f"{run.name}-{stage.name}-step{v}", str(p), before + v) for v, p in sorted(exports.items())]
        before += max(exports, default=0)
    if not found:
        raise ValueError(f"{run} has no exported model yet; set checkpoint.export_every_steps to get some on the way")
    return found


def template(settings: Settings) -> str:
    """The prompt template to use. ValueError when it is neither said nor known from the run."""
    if settings.template or not settings.run:
        if settings.template not in NAMES:
            said = f"template={settings.template} is unknown" if settings.template else "with model= the prompt template has to be said"
            raise ValueError(f"{said}; template= one of {', '.join(NAMES)}")
        return settings.template
    return read_experiment(settings.run).stages[-1].data.template


def fingerprint(model: str) -> str:
    """8 hexadecimal digits of a model directory: its configuration, and samples from all over its weight files."""
    files = sorted(Path(model).glob("*.safetensors"))
    if not files or not (Path(model) / "config.json").exists():
        raise ValueError(f"{model} is not a Hugging Face model directory with config.json and *.safetensors")
    digest = xxhash.xxh3_64((Path(model) / "config.json").read_bytes())
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.name} {size}".encode())
        with open(file, "rb") as source:
            for i in range(_BLOCKS):
                source.seek(max(0, size - _BLOCK) * i // (_BLOCKS - 1))
                digest.update(source.read(_BLOCK))
    return digest.hexdigest()[:8]


def file_name(settings: Settings, template: str, questions: Sequence[Question]) -> str:
    """Stem of one benchmark's result files: every setting that changes an answer or its verdict."""
    digest = xxhash.xxh3_64(json.dumps(settings.stop).encode())
    for q in questions:
        digest.update(q.prompt.id.encode() + q.prompt.token_ids.tobytes() + json.dumps(q.prompt.answers).encode())
    limit = f"first{settings.limit}" if settings.limit else "all"
    return (f"{template}-n{settings.n}-t{settings.temperature:g}-p{settings.top_p:g}-m{settings.max_tokens}-seed{settings.seed}"
            f"-{settings.dtype}-{settings.protocol}-{limit}-{digest.hexdigest()[:8]}")


def stage(settings: Settings, model: str, questions: Sequence[Question]) -> Stage:
    """What the generation servers read. ValueError when the longest prompt leaves no room for max_tokens."""
    longest = max(len(q.prompt.token_ids) for q in questions)
    context = json.loads((Path(model) / "config.json").read_text()).get("max_position_embeddings", 1 << 30)
    if longest + settings.max_tokens > context:
        raise ValueError(f"the longest prompt has {longest} tokens and {model} reads {context}: max_tokens={settings.max_tokens} "
                         f"is too many, at most {context - longest} fit")
    return Stage(
        name="evaluate", seed=settings.seed, model=Model(model, settings.dtype),
        data=Data(path="none", max_prompt_tokens=longest),
        generation=Generation(max_new_tokens=settings.max_tokens, temperature=settings.temperature, stop=settings.stop,
                              max_concurrency=settings.concurrency),
        reward=Reward(protocol=settings.protocol, workers=settings.verifiers),
        evaluation=Evaluation(samples=settings.n, temperature=settings.temperature, top_p=settings.top_p,
                              max_new_tokens=settings.max_tokens),
        cluster=Cluster(allocation=f"vllm.d{settings.servers}p1m{settings.tensor}+d1p1m1", device=settings.device))
