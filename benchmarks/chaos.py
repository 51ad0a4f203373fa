"""Faults on a schedule drawn from a seed, and what must hold whatever happens: python -m benchmarks.chaos

  --simulated 100     the real master, streams and servers around an engine without vLLM; seconds a run
  --runs 10           the quickstart's processes as a user starts them, vLLM and trainer and all; a minute or two a run

Every run is checked: each ticket trained exactly once and in its step, the staleness bound held, the ledger adds up, ended
within its clock. Exit status 1 when anything is broken; the line says which seed brings it back (--seed N, --simulated 1).
"""
import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from areal_lite.config import Stage
from benchmarks import chaos_real as real
from benchmarks import chaos_simulated as simulated
from benchmarks import runs as short


def simulate(runs: int, seed: int, kinds: tuple[str, ...], out: Path) -> int:
    """Play runs, one seed after the other; how many broke something. The directory of a broken run stays."""
    simulated.short_clocks()
    struck, bad, seconds = Counter(), 0, []
    for n in range(seed, seed + runs):
        directory = Path(tempfile.mkdtemp(prefix=f"chaos-{n}-", dir=out))
        run = simulated.Run(directory, n, kinds)
        broken = run.play()
        struck.update(run.struck)
        seconds.append(run.seconds)
        said = f"seed {n}: {run.seconds:.1f} s, {run.stage.until.steps} steps, {', '.join(run.struck) or 'no fault'}"
        if broken:
            bad += 1
            print(f"{said}\n  BROKEN (see {directory}):\n" + "\n".join(f"  - {line}" for line in broken[:10]), flush=True)
        else:
            print(said, flush=True)
            shutil.rmtree(directory)
    print("\n| fault | times |\n|---|---|\n" + "\n".join(f"| {kind} | {n} |" for kind, n in sorted(struck.items())))
    print(f"\n{runs} runs, {sum(struck.values())} faults, {bad} runs broken; {sum(seconds):.0f} s, the longest {max(seconds):.1f} s")
    return bad


def launch(stage: Stage, count: int, seed: int, out: Path) -> int:
    """Real runs, after an undisturbed one; how many broke something."""
    quiet, rows = real.play(stage, out, None), []
    for n in range(seed, seed + count):
        rows.append(real.play(stage, out, n))
        print(json.dumps({k: v for k, v in rows[-1].items() if k not in ("said", "events")}), flush=True)
    print(real.table(quiet, rows))
    return sum(bool(row["broken"]) for row in [quiet, *rows])


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="key=value", help="of real runs: exp=NAME first (default exp=quickstart)")
    parser.add_argument("--simulated", type=int, default=0, metavar="N", help="runs without vLLM")
    parser.add_argument("--runs", type=int, default=0, metavar="N", help="runs of the real thing")
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others count up")
    parser.add_argument("--only", default="", help="kinds of simulated faults, separated by commas")
    parser.add_argument("--out", type=Path, default=Path("runs/chaos"), help="finished real runs here are kept")
    options = parser.parse_intermixed_args()
    if not options.simulated and not options.runs:
        parser.error("say --simulated N, --runs N or both")
    if options.only and options.runs:
        parser.error("--only chooses among the faults of --simulated; those of --runs come from the seed alone")
    signal.signal(signal.SIGTERM, _interrupt)              # so that a run that is stopped leaves nothing behind either
    options.out.mkdir(parents=True, exist_ok=True)
    bad = 0
    if options.simulated:
        kinds = tuple(options.only.split(",")) if options.only else simulated.KINDS
        bad += simulate(options.simulated, options.seed, kinds, options.out)
    if options.runs:
        words = options.words if any(w.startswith("exp=") for w in options.words) else ["exp=quickstart", *options.words]
        experiment = short.experiment_in(options.out, words)
        short.cold_start(experiment)
        bad += launch(short.rl_stages(experiment)[0], options.runs, options.seed, options.out)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
