"""python -m areal_lite.launch exp=NAME [key=value ...]: run an experiment on this node, or check or print it."""
import argparse
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from areal_lite.config import ConfigError, Experiment, load, names, to_yaml
from areal_lite.launch import nodes, recover

DESCRIPTION = """Run an experiment: train a reasoning model with asynchronous, critic-free reinforcement learning.

  python -m areal_lite.launch exp=quickstart                        a whole staged run on two CPU cores, in minutes
  python -m areal_lite.launch exp=distill-1.5b --check              what would run where, and whether it can
  python -m areal_lite.launch exp=distill-1.5b-stage1 model.path=/models/R1-Distill-1.5B data.path=/data/deepscaler.json
  python -m areal_lite.launch exp=distill-1.5b stages.16k.until.steps=300 trainer.optimizer.lr=5e-6
  python -m areal_lite.launch exp=distill-1.5b --resume             go on where it stopped
  python -m areal_lite.launch exp=distill-1.5b nodes=16 node_rank=K master=HOST:PORT run_dir=/shared/RUN     on each node
"""

FLAGS = {"fresh": "recover=fresh", "resume": "recover=auto", "slurm": "launcher=slurm", "ray": "launcher=ray"}
"""Short ways to say a word."""


def main(words: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 failed, 2 a configuration that cannot run, 130 stopped by Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.launch", description=DESCRIPTION,
                                     epilog=textwrap.fill(f"experiments: {', '.join(names())}", 110, break_on_hyphens=False),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="key=value",
                        help="exp=NAME or exp=FILE.yaml first; then any key: python -m areal_lite.config lists them")
    parser.add_argument("--check", action="store_true", help="validate everything that can be validated without starting")
    parser.add_argument("--print-config", action="store_true", help="print the resolved configuration as YAML")
    parser.add_argument("--fresh", action="store_true", help="recover=fresh: move an earlier run in run_dir aside and start anew")
    parser.add_argument("--resume", action="store_true", help="recover=auto: continue the run in run_dir from its last checkpoint")
    parser.add_argument("--slurm", action="store_true", help="launcher=slurm: write a batch script and submit it; with --check, print it")
    parser.add_argument("--ray", action="store_true", help="launcher=ray: start this on the Ray cluster that this node belongs to")
    parser.add_argument("--keys", action="store_true", help="print new keys, for AREAL_LITE_KEYS on nodes that share no directory")
    options = parser.parse_intermixed_args(words)
    if options.keys:
        from areal_lite.streams.keys import new_keys
        print(json.dumps(dataclasses.asdict(new_keys())))
        return 0
    try:
        words = nodes.expand([*options.words, *(word for flag, word in FLAGS.items() if getattr(options, flag))])
        _agree(words)
        experiment = _load(words, options)
        if options.print_config:
            print(to_yaml(experiment), end="")
            return 0
        return _run(experiment, words, options.check)
    except (ConfigError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _load(words: list[str], options: argparse.Namespace) -> Experiment:
    """The experiment, with this node's place in the cluster."""
    experiment = load(words)
    if options.print_config or options.check or experiment.launcher:
        return experiment
    return load(nodes.resolve(words, os.environ, max(s.cluster.nodes for s in experiment.stages)))


def _agree(words: list[str]) -> None:
    """ConfigError when a flag and a word, or two flags, say different things of the same key."""
    for key in ("recover", "launcher"):
        if len(said := dict.fromkeys(w for w in words if w.startswith(f"{key}=") and w != f"{key}=")) > 1:
            raise ConfigError(f"{' and '.join(said)} contradict each other: say one of them")


def _run(experiment: Experiment, words: list[str], only_check: bool) -> int:
    from areal_lite.launch.head import Beat
    from areal_lite.launch.here import gpus
    from areal_lite.launch.preflight import check
    run_dir, cluster, cores = Path(experiment.run_dir), experiment.stages[0].cluster, len(os.sched_getaffinity(0))
    if experiment.launcher == "slurm" or (experiment.launcher and not only_check):
        return _elsewhere(experiment, words, only_check)
    there, needed = gpus(experiment, cores)
    few = "" if there >= needed else (f"this node has {there} GPUs, and {needed} are needed here: lower cluster.gpus_per_node and the "
                                      "allocation, name what is not seen in CUDA_VISIBLE_DEVICES, or say cluster.device=cpu without any")
    held = recover.refuse(experiment, starting=not only_check) if only_check or not cluster.node_rank else ""
    if few and not only_check:
        with Beat(run_dir, 1 if cluster.node_rank else cluster.nodes):     # the other nodes hear of it
            raise ConfigError(few)
    if cluster.node_rank and not only_check:
        return _follow(experiment, cores)
    if experiment.make and not held:                       # what is held was made
        if not only_check:                                 # what is made goes into the new run
            print(recover.prepare(experiment) or f"a new run in {run_dir}")
        _make(experiment.make, run_dir, experiment.stages[0].seed)
    report = check(experiment, cores, starting=not only_check)
    if only_check:
        print("\n".join(filter(None, [*report.facts, few, held])))
    if report.wrong:
        with Beat(run_dir, 1 if only_check else cluster.nodes):
            raise ConfigError("this cannot run:\n" + "\n".join(f"  - {line}" for line in report.wrong))
    if only_check:
        print(f"ok: {experiment.name} " + (f"fits together; start it on nodes with {needed} GPUs each" if few else "can run here"))
        return 0
    if not experiment.make and (said := recover.prepare(experiment)):
        print(said)
    with Beat(run_dir, cluster.nodes) as beat:             # from now on run_dir stays where it is
        return _stages(experiment, cores, beat)


def _elsewhere(experiment: Experiment, words: list[str], only_check: bool) -> int:
    """By way of a cluster's own scheduler."""
    from areal_lite.launch import on_ray, slurm
    words = [*(w for w in words if w.partition("=")[0] != "launcher"), "launcher="]      # over that of a file, too
    if experiment.launcher == "ray":
        return on_ray.run(experiment, words)
    print(slurm.script(experiment, words) if only_check else slurm.submit(experiment, words), end="" if only_check else "\n")
    return 0


def _make(what: str, run_dir: Path, seed: int) -> None:
    """Embedded defaults make their model and data first, in a process of their own: it imports torch."""
    module = f"areal_lite.toy.{what}" if what != "toy" else "areal_lite.toy"
    done = subprocess.run([sys.executable, "-m", module, str(run_dir / what), str(seed)], capture_output=True, text=True)
    if done.returncode:
        raise ConfigError(f"making {what} failed:\n{done.stderr[-2000:]}")


def _stages(experiment: Experiment, cores: int, beat) -> int:
    from areal_lite.launch.console import Console
    from areal_lite.launch.node import StageFailed
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    with Console(experiment) as console:
        try:
            for i in range(len(experiment.stages)):
                directory = _stage(experiment, i, cores, console, beat)
        except StageFailed as error:
            console.say(f"stopped in stage {console.stage.name}: {error}\n"
                        f"when it is mended: {recover.onward(experiment)}")
            beat.says(state="stopped", why=str(error))
            return 1
        except KeyboardInterrupt:
            console.say(f"stopped; {recover.onward(experiment)}")
            return 130
        beat.says(state="finished")
        console.say(f"finished in {(time.monotonic() - began) / 60:.1f} min; the model is in {directory / 'export'}")
    return _report(experiment)


def _stage(experiment: Experiment, i: int, cores: int, console, beat) -> Path:
    """Run one stage unless it is finished already; returns its directory."""
    from areal_lite.launch.run import run_stage
    from areal_lite.launch.stages import is_finished, resolve, stage_dir, write_configs
    stage = experiment.stages[i]
    if is_finished(experiment, stage):
        console.say(f"stage {stage.name} is finished already")
        return stage_dir(experiment, stage)
    stage = resolve(experiment, stage)
    directory = write_configs(experiment, stage)
    console.begin(stage, f"stage {i + 1} of {len(experiment.stages)}: {stage.name}, {stage.until.steps} steps, "
                         f"from {stage.model.path}")
    try:
        run_stage(stage, directory, cores, console, beat)
    finally:
        shutil.rmtree(stage.cluster.weights_dir, ignore_errors=True)
    return directory


def _follow(experiment: Experiment, cores: int) -> int:
    """The part of a node that is not node 0."""
    from areal_lite.launch.console import Console
    from areal_lite.launch.follow import follow, serve_apart
    from areal_lite.launch.node import StageFailed
    from areal_lite.streams import endpoint
    signal.signal(signal.SIGTERM, _interrupt)
    with Console(experiment) as console:
        try:
            (serve_apart if os.environ.get(endpoint.ENVIRONMENT) else follow)(experiment, cores, console)
        except StageFailed as error:
            console.say(f"stopped: {error}")
            return 1
        except KeyboardInterrupt:
            console.say("this node has left; the same command lets it join again")
            return 130
        console.say("finished")
    return 0


def _report(experiment: Experiment) -> int:
    """Draw the run's curves, in a process of their own."""
    return subprocess.run([sys.executable, "-m", "areal_lite.report", experiment.run_dir]).returncode


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
