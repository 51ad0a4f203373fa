"""python -m areal_lite.plan exp=NAME [nodes=16] [key=value ...]: how long an experiment would take, without a GPU."""
import argparse
import dataclasses
import sys
from pathlib import Path

from areal_lite.config import ConfigError, Experiment, load, read_words
from areal_lite.config.reference import help_text
from areal_lite.plan.stage import Planned, Settings, allocation_of, plan_stage

DESCRIPTION = """How long would it take, which side waits, how stale does it get? The master's own scheduler, unmodified, runs
between simulated servers and a simulated trainer; a few dozen steps are simulated and the rest is extrapolated.

  python -m areal_lite.plan exp=distill-1.5b nodes=16           hours per stage, idle shares, the best split
  python -m areal_lite.plan exp=distill-1.5b nodes=4 --sweep    every split x staleness 0/1/2/4/8, with a picture
  python -m areal_lite.plan --published                         against the published hours of AReaL v0.1 (a minute)
  python -m areal_lite.plan --calibrate RUN [RUN ...]           fit the first run, predict all of them
  python -m areal_lite.plan exp=distill-1.5b-stage2 --policies  what count-based admission and drop-late cost
"""
EPILOG = """Answers are log-normal with the mean of their context (5,000 / 7,000 / 9,000 tokens under 8K / 16K / 24K), decoding is
bound by memory bandwidth (weights once a step, keys and values of every running answer), training is FLOPs over MFU, a
version's bytes are written and read at `wire`. Left out: pipeline bubbles, preemption for want of key-value memory,
evaluation, checkpoints, failures."""


def main(words: list[str] | None = None) -> int:
    """Exit status: 0, or 2 for something that has to be changed."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.plan", description=DESCRIPTION,
                                     epilog=f"assumed unless given:\n{help_text(Settings)}\n\n{EPILOG}",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="key=value",
                        help="exp=NAME first; then any of the keys below, and any of the experiment's (python -m areal_lite.config)")
    does = parser.add_mutually_exclusive_group()
    does.add_argument("--sweep", action="store_true", help="all splits and staleness bounds, and a picture")
    does.add_argument("--published", action="store_true", help="compare with the published hours")
    does.add_argument("--policies", action="store_true", help="what the staleness policies cost, as Markdown")
    does.add_argument("--calibrate", nargs="+", type=Path, metavar="RUN", help="run or stage directories; the first is fitted")
    parser.add_argument("--out", type=Path, default=Path("plan.png"), help="where --sweep draws (default plan.png)")
    options = parser.parse_intermixed_args(words)
    try:
        _run(options)
    except (ConfigError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> None:
    mine = {f.name for f in dataclasses.fields(Settings)}
    settings = read_words(Settings, [w for w in options.words if w.partition("=")[0] in mine])
    if options.published:
        from areal_lite.plan import published
        print(published.table(*published.compare(settings)))
        return
    if options.calibrate:
        from areal_lite.plan import calibrate
        print(calibrate.compare([d for run in options.calibrate for d in calibrate.stage_dirs(run)]))
        return
    experiment = load([w for w in options.words if w.partition("=")[0] not in mine])
    if options.policies:
        from areal_lite.plan import policies
        print(policies.section(_stages(experiment)[0], settings), end="")
    elif options.sweep:
        _sweep(experiment, settings, options.out)
    else:
        _hours(experiment, settings)


def _stages(experiment: Experiment) -> list:
    if not (stages := [s for s in experiment.stages if s.kind == "rl"]):
        raise ConfigError(f"{experiment.name} has no stage of reinforcement learning to plan")
    return stages


def _gpus(stage, settings: Settings) -> int:
    return (settings.nodes or stage.cluster.nodes) * (settings.gpus_per_node or stage.cluster.gpus_per_node)


def _hours(experiment: Experiment, settings: Settings) -> None:
    """A line per stage for the configured allocation, and one for the best split."""
    from areal_lite.plan.sweep import best
    total = {"configured": 0.0, "best split": 0.0}
    for stage in _stages(experiment):
        gpus, plan = _gpus(stage, settings), allocation_of(stage)
        rows = {"best split": best(stage, plan, gpus, settings)}
        if plan.generation.world_size + plan.training.world_size == gpus:
            rows = {"configured": plan_stage(stage, plan, settings), **rows}
        a = stage.algorithm
        print(f"stage {stage.name}: {rows['best split'].steps} steps of {a.prompts_per_step} x {a.group_size} answers on {gpus} GPUs, "
              f"max_staleness {a.max_staleness}\n  assumed: {_assumed(rows['best split'], settings)}")
        for what, p in rows.items():
            total[what] += p.hours
            print(f"  {what:11}{p.plan!s:26}{p.hours:7.1f} h  {p.seen.step_s:6.1f} s a step  idle: generation {p.idle_generation:4.0%}, "
                  f"training {p.idle_training:4.0%}  staleness: mean {p.seen.stale_mean:.2f}, oldest {p.seen.stale_max}")
    if len(experiment.stages) > 1:
        print("together: " + ", ".join(f"{hours:.1f} h {what}" for what, hours in total.items() if hours))
    if settings.slower == 1.0:
        print("these are the data sheets' times; AReaL v0.1's published hours were about twice as many (slower=1.96, from --published)")


def _assumed(p: Planned, settings: Settings) -> str:
    return (f"answers of {p.lengths.mean:.0f} tokens (log-normal, sigma {p.lengths.sigma:g}, {p.lengths.truncated:.0%} cut), "
            f"{settings.slower:g} x the roofline's times; simulated at 1/{p.shrink} of the size, {settings.simulate} steps")


def _sweep(experiment: Experiment, settings: Settings, out: Path) -> None:
    from areal_lite.plan import sweep
    settings, found = dataclasses.replace(settings, simulate=min(settings.simulate, 12)), {}
    for stage in _stages(experiment):
        found[stage.name] = sweep.sweep(stage, allocation_of(stage), _gpus(stage, settings), settings)
        print(sweep.table(stage, found[stage.name]), flush=True)
    sweep.plot(found, out)
    print(f"drawn: {out}")


if __name__ == "__main__":
    sys.exit(main())
