"""Everything that can be known to be wrong before anything starts, and the facts a user wants to see first.

Reads files and asks the machine; starts only the user's reward function (here.py), needs no GPU, takes seconds.
"""
import errno
import importlib.util
import json
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from areal_lite.config import Experiment, Stage
from areal_lite.dataset import Dataset, tokenizer_folder
from areal_lite.dataset.chat import source
from areal_lite.dataset.readers import on_hub
from areal_lite.launch import here, placement
from areal_lite.launch.stages import load_data, load_held_out, weights_dir
from realhf import allocation

GIB = 1 << 30
CPU_HEAD_SIZES = (32, 64, 80, 96, 112, 128, 160, 192, 224, 256)
"""What vLLM 0.32's attention for CPUs was built for."""


@dataclass
class Report:
    """wrong: what has to be changed, each with the remedy. facts: what was found."""
    wrong: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


def check(experiment: Experiment, cores: int, starting: bool) -> Report:
    """Check every stage of the experiment on this machine. starting: what a user adds last (the address of node 0) is due."""
    report, first = Report(), experiment.stages[0].model.path
    later: dict[str, list[str]] = {}
    wrong: dict[str, list[str]] = {}
    for stage in experiment.stages:
        for part in (_placement, _model, _data, _held_out):
            try:
                part(report, experiment, stage, first, cores)
            except Later as note:
                (wrong if starting else later).setdefault(str(note), []).append(stage.name)
            except (ValueError, OSError) as error:
                wrong.setdefault(str(error), []).append(stage.name)
    for lines, said in ((report.facts, later), (report.wrong, wrong)):
        lines += [f"stage{'s' if len(names) > 1 else ''} {', '.join(names)}: {text}" for text, names in said.items()]
    return report


class Later(Exception):
    """Something that only a start needs."""


def _placement(report: Report, experiment: Experiment, stage: Stage, first: str, cores: int) -> None:
    plan = placement.place(stage, cores)
    table = placement.table(plan)
    same = any(fact.endswith(table) for fact in report.facts)
    report.facts.append(f"stage {stage.name}: the same processes" if same else f"stage {stage.name}:\n{table}")
    host, _, port = stage.cluster.master.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"cluster.master={stage.cluster.master} is not HOST:PORT")
    if stage.cluster.nodes > 1 and (port == "0" or host.startswith("127.") or host == "localhost"):
        raise Later(f"to start it, give an address and port of node 0 that all {stage.cluster.nodes} nodes reach: "
                    f"cluster.master=HOST:PORT (now {stage.cluster.master})")
    if port != "0" and stage.cluster.node_rank == 0:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((host, int(port)))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise Later(f"cluster.master={stage.cluster.master} is no address of this node ({error.strerror})") from None
                raise ValueError(f"cluster.master={stage.cluster.master} cannot be bound ({error.strerror}): choose a free port") from None


def _model(report: Report, experiment: Experiment, stage: Stage, first: str, cores: int) -> None:
    if stage.kind == "rl" and importlib.util.find_spec("vllm") is None:
        raise ValueError("vLLM is not installed: pip install -e '.[gpu]' in the checkout, or make .venv/ready for a CPU")
    path = Path(first)
    if stage.model.path != first:
        report.facts.append(f"stage {stage.name}: starts from {stage.model.path}")
    if not path.is_dir():
        if first.startswith((".", "/")) or first.count("/") != 1:
            raise ValueError(f"model.path={first} is not a directory; give a Hugging Face directory or hub name")
        report.facts.append(f"stage {stage.name}: {first} will be fetched from the hub")
        return
    for name in ("config.json", "tokenizer.json"):
        if not (path / name).exists():
            raise ValueError(f"model.path={first} has no {name}; it must be a Hugging Face model directory")
    config = json.loads((path / "config.json").read_text())
    layout = allocation.parse(stage.cluster.allocation).training
    allocation.check_model(layout, heads=config["num_attention_heads"], kv_heads=config["num_key_value_heads"],
                           intermediate=config["intermediate_size"], vocab=config["vocab_size"], layers=config["num_hidden_layers"])
    head = config["hidden_size"] // config["num_attention_heads"]
    if stage.cluster.device == "cpu" and head not in CPU_HEAD_SIZES:
        raise ValueError(f"{first}: heads of {head} numbers; vLLM on CPU computes only {', '.join(map(str, CPU_HEAD_SIZES))}")
    context = stage.data.max_prompt_tokens + max(stage.generation.max_new_tokens, stage.evaluation.max_new_tokens)
    if context > config["max_position_embeddings"]:
        raise ValueError(f"data.max_prompt_tokens + new tokens = {context}, but the model's context "
                         f"(max_position_embeddings) is {config['max_position_embeddings']}; lower one of them")
    _memory(report, experiment, stage, parameters(config), layout)


def _memory(report: Report, experiment: Experiment, stage: Stage, count: int, layout) -> None:
    """Weights, gradients and two moments in fp32 over the shards; published versions; checkpoints."""
    shards = layout.world_size // layout.r
    state = 16 * count / shards
    item = 2 if stage.model.dtype == "bfloat16" else 4
    report.facts.append(f"stage {stage.name}: {count / 1e6:.1f}M parameters; trainer state {state / GIB:.2f} GiB per rank "
                        f"(without activations), {item * count / GIB:.2f} GiB per published version")
    available = psutil.virtual_memory().available
    if stage.cluster.device == "cpu" and 16 * count + item * count * 4 > available:
        raise ValueError(f"about {(16 + 4 * item) * count / GIB:.1f} GiB of memory are needed, {available / GIB:.1f} GiB are free")
    needed = (stage.checkpoint.keep + 1) * 12 * count + 4 * count
    _room(Path(experiment.run_dir), needed, "checkpoints", "run_dir")
    if where := weights_dir(experiment, stage):
        _room(Path(where), 4 * item * count, "published weights", "cluster.weights_dir")


def _room(directory: Path, needed: float, what: str, key: str) -> None:
    existing = next(p for p in (directory.absolute(), *directory.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ValueError(f"{existing} has {free / GIB:.1f} GiB free, {what} need about {needed / GIB:.1f} GiB: free some or set {key}")


def _data(report: Report, experiment: Experiment, stage: Stage, first: str, cores: int) -> None:
    data = _rows(report, stage, first, stage.data.path, "rows", load_data)
    if data and stage.data.template == "none" and (data.rows[0].problem or data.rows[0].messages) and source(tokenizer_folder(first)):
        report.facts.append(f"stage {stage.name}: the model has a chat template; data.template=chat would use it")
    same = (s for s in experiment.stages if s.kind == "rl" and (s.reward, s.data.path) == (stage.reward, stage.data.path))
    if data and stage.reward.rule == "function" and next(same, None) is stage:     # once for stages that share it and the rows
        here.call_function(stage.reward, data.rows[0].answers)


def _held_out(report: Report, experiment: Experiment, stage: Stage, first: str, cores: int) -> None:
    if stage.evaluation.path and stage.kind == "rl":
        try:
            _rows(report, stage, first, stage.evaluation.path, "held-out rows", load_held_out)
        except ValueError as error:
            raise ValueError(f"evaluation.path: {error}") from error


def _rows(report: Report, stage: Stage, first: str, path: str, what: str, read: Callable[[Stage, str], Dataset]) -> Dataset | None:
    """Read them as the run will; None when rows and tokenizer would both have to be fetched."""
    remote = [part for part in map(str.strip, path.split(",")) if on_hub(part)]
    if remote and not Path(first).is_dir():
        report.facts.append(f"stage {stage.name}: {', '.join(remote)} will be fetched from the hub")
        return None
    data = read(stage, first)
    dropped = {why: n for why, n in data.dropped.items() if n}
    report.facts.append(f"stage {stage.name}: {len(data)} {what} of {path}" + (f", dropped {dropped}" if dropped else ""))
    return data


def parameters(config: dict) -> int:
    """Parameter count of a Qwen2 / Llama / Mistral shaped model from its config.json."""
    hidden, layers, vocab = config["hidden_size"], config["num_hidden_layers"], config["vocab_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    attention = hidden * head * (2 * config["num_attention_heads"] + 2 * config["num_key_value_heads"])
    per_layer = attention + 3 * hidden * config["intermediate_size"] + 2 * hidden
    return layers * per_layer + hidden + vocab * hidden * (1 if config.get("tie_word_embeddings") else 2)
