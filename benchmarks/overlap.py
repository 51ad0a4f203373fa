"""Synchronous against asynchronous, back to back: python -m benchmarks.overlap [exp=quickstart] [--steps 20] [key=value ...]

Runs one stage of an experiment from the same cold-started model with max_staleness 0 and 2 and compares seconds per step.
The phases are those of the synchronous run, where they do not disturb each other: generation (servers have work) and
training (with publishing). Bars: a step within 1.25 times the longer phase; 1.6 times faster where the phases are balanced,
that is where overlapping them could bring 1.8; overlap efficiency (longer phase / step) 0.85. Evaluation and checkpoints
are off. The first rows are left out; the last are not, though the servers have nothing left to do there. The CPU columns
are what each side's processes computed per step: on a machine that does other work too, the wall clock is not to be
trusted, and with a core for each side, "CPU alone" is what an undisturbed step would take at least.

--hidden and --layers take a model of that shape with random weights instead of the cold start: the larger it is, the more of
a step is arithmetic and the less the server's and vLLM's own loops, which share the trainer's core. It learns nothing.
"""
import argparse
import dataclasses
import math
import os
from pathlib import Path
from statistics import fmean

from areal_lite import toy
from areal_lite.toy.model import CONFIG, HEAD_SIZE
from areal_lite.toy.vocabulary import write_tokenizer
from benchmarks import runs

WARM = 3


def phases(rows: list[dict]) -> dict[str, float]:
    """Mean seconds a step by phase."""
    rows = rows[WARM:]
    return {"step": fmean(r["step_s"] for r in rows), "generation": fmean(r["time_generation_s"] for r in rows),
            "training": fmean(r["time_train_s"] + r["time_publish_s"] for r in rows), "stall": fmean(r["stall_s"] for r in rows),
            "tokens": fmean(r["tokens"] for r in rows), "staleness": fmean(r["staleness_mean"] for r in rows)}


def computed(samples: list[dict]) -> dict[str, float]:
    """CPU seconds a step of each side, from the cpu.jsonl of a run; nan when too few steps were seen."""
    samples = [s for s in samples if s["steps"] >= WARM]
    steps = samples[-1]["steps"] - samples[0]["steps"] if samples else 0
    return {side: (samples[-1][side] - samples[0][side]) / steps if steps else math.nan for side in ("generation", "trainer")}


def verdict(sync: dict[str, float], overlapped: dict[str, float]) -> str:
    """What the two runs say to the bars."""
    longer = max(sync["generation"], sync["training"])
    possible, gain = (sync["generation"] + sync["training"]) / longer, sync["step"] / overlapped["step"]
    efficiency, times = longer / overlapped["step"], overlapped["step"] / longer
    balanced = possible >= 1.8

    def bar(ok: bool) -> str:
        return "met" if ok else "MISSED"
    return "\n".join([
        f"speed-up {gain:.2f} (perfect overlap of these phases: {possible:.2f}); bar 1.6 where balanced: "
        + (bar(gain >= 1.6) if balanced else "not balanced here"),
        f"step / longer phase {times:.2f}, bar 1.25: {bar(times <= 1.25)}",
        f"overlap efficiency {efficiency:.2f}, bar 0.85: {bar(efficiency >= 0.85)}"])


def random_model(directory: Path, hidden: int, layers: int) -> None:
    """Write the quickstart's model with other sizes; hidden: a multiple of 64, of two query heads to a key head."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(0)
    heads = hidden // HEAD_SIZE
    config = Qwen2Config(**CONFIG | {"hidden_size": hidden, "intermediate_size": 2 * hidden, "num_hidden_layers": layers,
                                     "num_attention_heads": heads, "num_key_value_heads": heads // 2})
    Qwen2ForCausalLM(config).save_pretrained(directory)
    write_tokenizer(directory)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overlap", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    runs.arguments(parser, "the second, or the only one", "runs/overlap")
    parser.add_argument("--steps", type=int, default=20, help="of each of the two runs (default %(default)s)")
    parser.add_argument("--staleness", type=int, default=2, help="max_staleness of the asynchronous run (default %(default)s)")
    parser.add_argument("--hidden", type=int, help="a random model of this width, a multiple of 64, instead of the cold start")
    parser.add_argument("--layers", type=int, default=2, help="of that model (default %(default)s)")
    options = parser.parse_intermixed_args()
    experiment, stage = runs.chosen(options.out, options.words, options.stage, 1)
    if options.hidden:
        options.out /= f"hidden-{options.hidden}-layers-{options.layers}"
        path = options.out / "model"
        random_model(path, options.hidden, options.layers)
        toy.make(Path(experiment.run_dir) / "toy")
        still = dataclasses.replace(stage.trainer.optimizer, lr=1e-12)     # both runs answer alike from the first step to the last
        stage = dataclasses.replace(stage, model=dataclasses.replace(stage.model, path=str(path)),
                                    trainer=dataclasses.replace(stage.trainer, optimizer=still))
    else:
        runs.cold_start(experiment)
    found, cpu = {}, {}
    print(f"{experiment.name}, stage {stage.name}, {options.steps} steps, load average before {os.getloadavg()[0]:.1f}", flush=True)
    print(f"{'':16}{'step':>9}{'generation':>12}{'training':>10}{'stall':>8}{'tokens':>8}{'staleness':>11}{'CPU generation':>16}"
          f"{'CPU training':>14}", flush=True)
    for s in (0, options.staleness):
        done = runs.run(stage, options.out / f"{stage.name}-staleness-{s}", until={"steps": options.steps, "plateau": 0.0},
                        evaluation={"path": ""}, checkpoint={"every_s": 0.0}, algorithm={"max_staleness": s})
        f, c = phases(runs.rows(done)), computed(runs.rows(done, "cpu.jsonl"))
        found[s], cpu[s] = f, c
        print(f"max_staleness {s:<2}{f['step']:>7.3f} s{f['generation']:>10.3f} s{f['training']:>8.3f} s{f['stall']:>6.2f} s"
              f"{f['tokens']:>8.0f}{f['staleness']:>11.2f}{c['generation']:>14.3f} s{c['trainer']:>12.3f} s", flush=True)
    print(verdict(found[0], found[options.staleness]))
    alone, both = sum(cpu[0].values()), max(cpu[options.staleness].values())
    print(f"CPU alone: {alone:.2f} s synchronous, {both:.2f} s overlapped: {alone / both:.2f} times faster at best")


if __name__ == "__main__":
    main()
