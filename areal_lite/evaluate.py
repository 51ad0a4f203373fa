"""python -m areal_lite.evaluate model=PATH benchmarks=aime24,math500 n=32 ...: measure a model, or all of a run's.

Run the same command again to go on after an interruption; what is finished is not asked again.
"""
import argparse
import signal
import sys
import time
from pathlib import Path

from areal_lite.config import read_words
from areal_lite.config.reference import help_text
from areal_lite.evaluation.results import Pair, numbers, pairs
from areal_lite.evaluation.run import evaluate
from areal_lite.evaluation.serve import EvaluationFailed
from areal_lite.evaluation.settings import Settings
from areal_lite.evaluation.statistics import Comparison, compare

DESCRIPTION = """Measure models on mathematics benchmarks through real generation servers.

  python -m areal_lite.evaluate model=/models/R1-Distill-1.5B data=/data/eval template=areal-distill n=32 temperature=0.6
  python -m areal_lite.evaluate exp=eval-simplerl-zoo model=/models/Zoo-7B data=/data/eval     published settings, as a start
  python -m areal_lite.evaluate run=runs/distill-1.5b data=/data/eval benchmarks=aime24,amc23 n=8 second=math-verify
  python -m areal_lite.evaluate --compare evaluation/MODEL_A evaluation/MODEL_B      two models, question by question
  python -m areal_lite.view evaluation/MODEL_A evaluation/MODEL_B                    read their answers side by side
"""


def main(words: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 failed, 2 something to change on the command line, 130 stopped by Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.evaluate", description=DESCRIPTION,
                                     epilog=f"keys and their defaults:\n{help_text(Settings)}",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="key=value", help="any of the keys below; a list is written a,b")
    parser.add_argument("--compare", nargs=2, metavar=("FIRST", "SECOND"), help="result directories, or single jsonl files")
    options = parser.parse_args(words)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.compare:
            print(comparison(pairs(*options.compare)))
            return 0
        settings = read_words(Settings, options.words)
        print(report(evaluate(settings, say)))
        draw(settings.out)
        return 0
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except EvaluationFailed as error:
        print(f"{error}\nwhat is finished is kept; the same command goes on", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130


def say(text: str) -> None:
    """A line of news."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def draw(out: str) -> None:
    """Draw what is in OUT."""
    from areal_lite.evaluation.plots import draw as pictures  # matplotlib: not for --help and --compare

    files = pictures(numbers(out), Path(out) / "plots")
    print(f"results in {out}/eval_results.csv" + (f", {len(files)} pictures in {out}/plots" if files else ""))


def report(entries: list[dict]) -> str:
    """The new results as a table, with 95 % intervals."""
    lines = [f"{'model':40} {'benchmark':14} {'avg@n':>22} {'pass@n':>22} {'maj@n':>22} {'n':>4} {'tokens':>8} {'clipped':>8}"]
    for e in entries:
        m = e["measures"]
        shown = [_interval(m["avg"]), *(_interval(m[kind][str(m["n"])]) for kind in ("pass", "maj"))]
        lines.append(f"{e['model']:40} {e['benchmark']:14} {shown[0]:>22} {shown[1]:>22} {shown[2]:>22} {m['n']:4} "
                     f"{m['tokens']:8.0f} {m['clip_ratio']:8.1%}")
        if second := e.get("second"):
            lines.append(f"    graded by {second['protocol']}: {second['acc']:.1f} %; the graders disagree on "
                         f"{second['disagreements']} of {second['answers']} answers: {second['file']}")
    return "\n".join(lines)


def comparison(found: list[Pair]) -> str:
    """Paired comparisons as a table; the last line is over all questions."""
    lines = [f"{'benchmark':14} {'questions':>9} {'first':>7} {'second':>7} {'difference':>26} {'p':>7} {'better':>6} {'worse':>6}"]
    lines += [_compared(p.benchmark, p.compared()) for p in found]
    if len(found) > 1:
        share = [[sum(s["outcome"] == "correct" for s in r["samples"]) / len(r["samples"]) for p in found for r in rows(p)]
                 for rows in (lambda p: p.first, lambda p: p.second)]
        lines.append(_compared("all", compare(*share)))
    lines += [f"different settings in {p.benchmark}: {p.settings[0]} and {p.settings[1]}" for p in found
              if p.settings[0] != p.settings[1]]
    return "\n".join(lines)


def _compared(name: str, c: Comparison) -> str:
    difference = f"{100 * c.difference:+.1f} [{100 * c.low:+.1f}, {100 * c.high:+.1f}]"
    return (f"{name:14} {c.questions:9} {100 * c.first:7.1f} {100 * c.second:7.1f} {difference:>26} {c.p_value:7.4f} "
            f"{c.better:6} {c.worse:6}")


def _interval(e: dict) -> str:
    return f"{100 * e['mean']:.1f} [{100 * e['low']:.1f}, {100 * e['high']:.1f}]"


def _interrupt(*_) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
