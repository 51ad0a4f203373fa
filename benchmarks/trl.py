"""We and TRL's GRPOTrainer on one task: python -m benchmarks.trl [exp=quickstart] [--venv DIR] [--steps 40] [--seeds 1]

Consumes the experiment's cold-started model and its last stage of reinforcement learning (made once under --out) and an
environment with TRL (--venv; made when it is not there). Waits for one run at a time: first short ones that tune TRL, then
every side and seed to the same number of steps. Whatever has its .json file is not repeated; --rows N stops after N new ones.
Writes table.md, results.jsonl and trl.png.

Equal on both sides: exported start model, prompts of every step and their token ids, answers per prompt, temperature, longest
answer, reward, advantage (reward - mean of its prompt), clipped loss over all tokens of the batch (TRL: dapo, without its std
scaling), AdamW, its schedule, gradient norm, fp32, two CPU cores, no KL, no logging, no evaluation and no checkpoints while
training. Held-out accuracy is measured afterwards on the models exported on the way, by one program, with the same draws.
Seconds are of training from the first weights being ready to sample from; starting up has its own column. Taken out of
TRL's time: exporting. Left in ours: exporting, reports of a step, and our verifier; TRL gets a regular expression that is right
for this task's answers and costs nothing.

Tuned for TRL (tuning-*.json; the fastest is used): threads, microbatch, attention, kind of key-value cache, and transformers'
continuous batching. Ours runs as it ships: a vLLM server on one core, a trainer on the other.
What cannot be equal: on a CPU TRL 1.16 has no vLLM. Its server mode and its experimental asynchronous trainer
(trl.experimental.async_grpo) send weights by NCCL, and the former says so. Colocated, vLLM starts, but the first
synchronisation fails, because vLLM's CPU layers give up their matrices for packed ones (0.31: 'Parameter' object has no
attribute 'weight_loader'); with that packing cut out of vLLM by hand it ran, at 1.3 times the CPU seconds a step of sampling by
transformers. So TRL samples by transformers here, and generation and training take turns; "ours, synchronous" is the same
without our overlap. Samples of "ours" are up to max_staleness steps old.
"""
import argparse
import dataclasses
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

from areal_lite import dataset, record
from areal_lite.config import Stage
from benchmarks import overlap, runs
from benchmarks.trl_table import ASYNC, COLOURS, TRL, WARM, plot, result, table

TORCH, REQUIREMENTS = "torch==2.13.0", ("trl==1.16.0", "transformers>=5,<6", "accelerate", "datasets")
UNWANTED = ("torchvision", "torchaudio", "torchcodec")
SCRIPT = Path(__file__).with_name("trl_run.py")
BASE = {"threads": 2, "microbatch": 1.0, "attention": "sdpa", "config": {}}
WAYS = {"2 threads": {}, "1 thread": {"threads": 1}, "half microbatches": {"microbatch": 0.5}, "quarter microbatches": {"microbatch": 0.25},
        "eager attention": {"attention": "eager"}, "static cache": {"config": {"cache_implementation": "static"}},
        "continuous batching": {"config": {"use_transformers_continuous_batching": True}}}
"""How TRL can be run, as differences to BASE; microbatch is a share of the batch."""
TUNE_STEPS = 5
TRL_S, TUNE_S = 3600.0, 600.0
SAMPLES = 4
"""Answers per held-out question."""


def environment(venv: Path) -> Path:
    """The python of an environment with TRL; made in minutes, from the package index, when DIR holds none."""
    python = venv / "bin" / "python"
    looks = "import importlib.util; raise SystemExit(importlib.util.find_spec('trl') is None)"
    if not python.exists() or subprocess.run([str(python), "-c", looks], timeout=60.0).returncode:
        print(f"making {venv}: {TORCH}, {', '.join(REQUIREMENTS)}", flush=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        for words in ([sys.executable, "-m", "venv", str(venv)], [*pip, "install", "-q", TORCH],
                      [*pip, "install", "-q", TORCH, *REQUIREMENTS], [*pip, "uninstall", "-q", "-y", *UNWANTED]):
            subprocess.run(words, check=True, stdin=subprocess.DEVNULL, timeout=TRL_S)
    return python


def check(stage: Stage) -> None:
    """ValueError for what TRL would do differently or this comparison does not carry over."""
    a, o = stage.algorithm, stage.trainer.optimizer
    needs = {"algorithm.advantage=group_mean (or group)": a.advantage != "global",
             "algorithm.minibatches=1": a.minibatches == 1,
             "algorithm.kl_reward=0 kl_loss=0 entropy_bonus=0": not (a.kl_reward or a.kl_loss or a.entropy_bonus),
             "algorithm.filter_groups=none": a.filter_groups == "none",
             "trainer.optimizer.schedule=constant": o.schedule == "constant",
             "reward.rule=correctness": stage.reward.rule == "correctness",
             "data.template=none": stage.data.template == "none",
             "evaluation.path, the held-out questions": bool(stage.evaluation.path)}
    for key, ok in needs.items():
        if not ok:
            raise ValueError(f"stage {stage.name}: the comparison with TRL needs {key}")


def job(stage: Stage, way: dict, out: Path, rows: Path, steps: int, every: int) -> dict:
    """What trl_run.py reads. way: differences to BASE. every: steps between two exports; 0: none."""
    a, o, way = stage.algorithm, stage.trainer.optimizer, {**BASE, **way}
    way["microbatch"] = int(way["microbatch"] * a.prompts_per_step * a.group_size)
    return {"model": str(Path(stage.model.path).resolve()), "rows": str(rows.resolve()), "out": str(out.resolve()), "steps": steps,
            "every": every, "seed": stage.seed, "prompts_per_step": a.prompts_per_step, "group_size": a.group_size,
            "max_new_tokens": stage.generation.max_new_tokens, "temperature": stage.generation.temperature,
            "scale_rewards": "group" if a.advantage == "group" else "none", "clip_low": a.clip_low, "clip_high": a.clip_high,
            "grad_clip": o.grad_clip, "lr": o.lr, "betas": list(o.betas), "eps": o.eps, "weight_decay": o.weight_decay,
            "warmup_fraction": o.warmup_fraction, "correct": stage.reward.correct, "wrong": stage.reward.wrong, "way": way}


def write_prompts(stage: Stage, file: Path, count: int) -> None:
    """The first `count` prompts of this stage in the order in which our master gives them out."""
    d = stage.data
    data = dataset.load(d.path, stage.model.path, format=d.format, difficulty=d.difficulty, limit=d.limit, decontaminate=d.decontaminate,
                        template=d.template, seed=stage.seed, max_prompt_tokens=d.max_prompt_tokens)
    drawn = [(data.rows[data.index(k)], data.prompt(k)) for k in range(count)]
    file.write_text("".join(json.dumps({"prompt": row.prompt or row.problem, "prompt_ids": prompt.token_ids.tolist(),
                                        "answers": list(prompt.answers)}) + "\n" for row, prompt in drawn))


def train_trl(python: Path, words: dict, timeout_s: float) -> list[dict]:
    """Run it to the end; its steps. RuntimeError with its last lines when it fails, TimeoutExpired after timeout_s."""
    out = Path(words["out"])
    out.mkdir(parents=True, exist_ok=True)
    (out / "steps.jsonl").unlink(missing_ok=True)          # of a run that was cut short
    (out / "job.json").write_text(json.dumps(words, indent=1))
    environment = {**os.environ, "OMP_NUM_THREADS": str(words["way"]["threads"]), "HF_HUB_OFFLINE": "1"}
    with open(out / "log", "w") as log:
        done = subprocess.run([str(python), "-P", str(SCRIPT), str(out / "job.json")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              env=environment, timeout=timeout_s)
    if done.returncode:
        raise RuntimeError(f"TRL failed in {out}:\n{(out / 'log').read_text()[-2000:]}")
    return list(record.read(out / "steps.jsonl"))


def train_ours(stage: Stage, directory: Path, steps: int, every: int, max_staleness: int) -> tuple[list[dict], Path, float]:
    """(its steps, stage directory, seconds of starting up)."""
    done = runs.run(stage, directory, until={"steps": steps, "plateau": 0.0}, evaluation={"path": ""},
                    checkpoint={"every_s": 0.0, "export_every_steps": every}, algorithm={"max_staleness": max_staleness})
    began = next(e["time"] for e in runs.rows(done, "events.jsonl") if e["event"] == "loaded")
    made = [{"step": r["step"], "seconds": r["time"] - began, "samples": r["answers"], "tokens": r["tokens"], "reward": r["reward"]}
            for r in runs.rows(done)]
    return made, done, began - directory.with_suffix(".yaml").stat().st_mtime


def held_out(stage: Stage) -> Callable[[Path], float]:
    """A function from an exported model to its accuracy on the held-out questions, SAMPLES answers each."""
    import torch
    from transformers import AutoModelForCausalLM

    from areal_lite.rewards.math import grade

    ev, longest = stage.evaluation, stage.evaluation.max_new_tokens or stage.generation.max_new_tokens
    data = dataset.load(ev.path, stage.model.path, format=ev.format, limit=ev.limit, max_prompt_tokens=stage.data.max_prompt_tokens)
    tokenizer, end = dataset.load_tokenizer(stage.model.path)
    prompts = [data.at(row) for row in range(len(data))]
    width = max(len(p.token_ids) for p in prompts)
    ids, mask = torch.full((len(prompts), width), end), torch.zeros(len(prompts), width, dtype=torch.long)
    for row, p in enumerate(prompts):
        ids[row, -len(p.token_ids):], mask[row, -len(p.token_ids):] = torch.from_numpy(p.token_ids).long(), 1

    def accuracy(path: Path) -> float:
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        made = model.generate(ids, attention_mask=mask, do_sample=True, temperature=ev.temperature or 1.0, top_k=0, top_p=ev.top_p,
                              max_new_tokens=longest, num_return_sequences=SAMPLES, eos_token_id=end, pad_token_id=end)[:, width:].tolist()
        right = [end in answer and grade(tokenizer.decode(answer[:answer.index(end)]), prompts[n // SAMPLES].answers).correct
                 for n, answer in enumerate(made)]
        return fmean(right)
    return accuracy


class Enough(Exception):
    """As many new runs as were asked for."""


@dataclasses.dataclass
class Comparison:
    """The runs of one comparison, each with a file OUT/NAME.json when it is done."""
    stage: Stage
    python: Path
    out: Path
    steps: int
    every: int
    rows: int
    """New runs that may still be made; negative: all."""

    def __post_init__(self):
        self.accuracy = held_out(self.stage)

    def all(self, seeds: int) -> tuple[list[dict], str]:
        """(results of the sides so far, the way in which TRL was run)."""
        found, way = [], ""
        try:
            self.before = self.done("before", lambda: {"accuracy": self.accuracy(Path(self.stage.model.path))})["accuracy"]
            way = self.tuned()
            for seed in range(1, seeds + 1):
                for side in COLOURS:
                    name = f"{side.replace(', ', '-').lower()}-{self.steps}-steps-seed-{seed}"
                    found.append(self.done(name, functools.partial(self.side, side, seed, way, self.out / name)))
        except Enough:
            pass
        return found, way

    def done(self, name: str, make: Callable[[], dict]) -> dict:
        """What OUT/NAME.json says, made when it is not there. Enough when it may not be."""
        file = self.out / f"{name}.json"
        if not file.exists():
            if self.rows == 0:
                raise Enough
            self.rows -= 1
            load = os.getloadavg()[0]
            record.write(file, json.dumps({**make(), "load_before": load}))
        row = json.loads(file.read_text())
        shown = {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items() if key != "curve"}
        print(name, shown, flush=True)
        return row

    def tuned(self) -> str:
        """The way of running TRL that takes the fewest seconds a step, all of them tried for a few steps."""
        found = [self.done(f"tuning-{way.replace(' ', '-')}", functools.partial(self.tune, way)) for way in WAYS]
        worked = [f for f in found if f["step_s"] is not None]
        if not worked:
            raise RuntimeError(f"no way of running TRL worked; see {self.out}/tuning-*/log")
        return min(worked, key=lambda f: f["step_s"])["way"]

    def tune(self, way: str) -> dict:
        """One way; one that fails or is late is written down as that."""
        words = job(self.stage, WAYS[way], self.out / f"tuning-{way.replace(' ', '-')}", self.prompts(self.stage), TUNE_STEPS, 0)
        try:
            steps = train_trl(self.python, words, TUNE_S)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return {"way": way, "step_s": None, "error": str(error)[-300:]}
        taken = [b["seconds"] - a["seconds"] for a, b in pairwise(steps)]
        return {"way": way, "step_s": median(taken), "cpu_s": (steps[-1]["cpu_s"] - steps[0]["cpu_s"]) / len(taken)}

    def prompts(self, stage: Stage) -> Path:
        """The file with this seed's prompts."""
        file = self.out / f"prompts-{stage.seed}.jsonl"
        write_prompts(stage, file, self.steps * stage.algorithm.prompts_per_step)
        return file

    def side(self, side: str, seed: int, way: str, directory: Path) -> dict:
        """Train one side and evaluate what it exported."""
        stage = dataclasses.replace(self.stage, seed=seed)
        if side == TRL:
            made = train_trl(self.python, job(stage, WAYS[way], directory, self.prompts(stage), self.steps, self.every), TRL_S)
            start_s = json.loads((directory / "finished.json").read_text())["start_s"]
            cpu_s = (made[-1]["cpu_s"] - made[WARM - 1]["cpu_s"]) / (len(made) - WARM)
        else:
            staleness = stage.algorithm.max_staleness if side == ASYNC else 0
            made, directory, start_s = train_ours(stage, directory, self.steps, self.every, staleness)
            cpu_s = sum(overlap.computed(runs.rows(directory, "cpu.jsonl")).values())
        exports = {int(p.name.removeprefix("step-")): p for p in (directory / "exports").iterdir()}
        return result(side, seed, made, cpu_s, start_s, {0: self.before, **{step: self.accuracy(p) for step, p in exports.items()}})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trl", description=__doc__.splitlines()[0])
    runs.arguments(parser, "the last one", "runs/trl")
    parser.add_argument("--venv", type=Path, default=Path("runs/venv-trl"), help="with TRL; made when it is not there")
    parser.add_argument("--steps", type=int, default=40, help="of every run (default %(default)s)")
    parser.add_argument("--every", type=int, default=4, help="steps between two measured models")
    parser.add_argument("--seeds", type=int, default=1, help="runs of every side (default %(default)s)")
    parser.add_argument("--rows", type=int, default=-1, help="stop after so many new runs; -1: all")
    options = parser.parse_intermixed_args()
    experiment, stage = runs.chosen(options.out, options.words, options.stage, -1)
    try:
        check(stage)
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    python = environment(options.venv)
    runs.cold_start(experiment)
    print(f"{experiment.name}, stage {stage.name}, {options.steps} steps, load average before {os.getloadavg()[0]:.1f}", flush=True)
    found, way = Comparison(stage, python, options.out, options.steps, options.every, options.rows).all(options.seeds)
    record.write(options.out / "results.jsonl", "".join(json.dumps(row) + "\n" for row in found))
    if {row["side"] for row in found} == set(COLOURS):
        record.write(options.out / "table.md", table(found, way))
        plot(found, options.out / "trl.png")
        print(table(found, way), end="")
    else:
        print("not all sides have run: give the command again")


if __name__ == "__main__":
    main()
