"""How right and how fast the verifier is on real golds: python -m benchmarks.verifier [--protocol ours] [DATA].

DATA holds the evaluation and training files (default: $AREAL_LITE_DATA). For each set: the share of golds accepted as
an answer to themselves, the share of shuffled golds accepted (answers to other questions; text-equal ones are left
out, and what remains is listed with --show), verdicts per second of one core, and the 50th and 99th percentile in
milliseconds.
"""

import argparse
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet

from areal_lite.rewards.extract import extract
from areal_lite.rewards.math import grade
from areal_lite.rewards.normalise import key, tidy

HARNESS = ("aime24", "amc23", "math500", "gsm8k", "minerva_math", "olympiadbench", "gaokao2023en", "college_math")
EXTRA = ("deepscaler/test/minerva.json", "deepscaler/test/olympiad_bench.json")


def gold_sets(data: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """(name, golds of each row) of every set that is there; rows without a gold are left out."""
    for name in HARNESS:
        path = data / "eval_qwen_harness" / name / "test.jsonl"
        if path.exists():
            rows = [golds(name, json.loads(line)) for line in path.read_text().splitlines()]
            yield name, [row for row in rows if all(gold.strip() for gold in row)]
    parquet = data / "train_simplerl" / "simplelr_qwen_level3to5__train.parquet"
    if parquet.exists():
        column = pyarrow.parquet.read_table(parquet, columns=["gt_answer"])["gt_answer"].to_pylist()
        yield "simplerl", [[gold] for gold in column if gold.strip()]
    for name in EXTRA:
        if (data / name).exists():
            rows = [row["answer"] for row in json.loads((data / name).read_text())]
            yield name, [row if isinstance(row, list) else [row] for row in rows]


def golds(name: str, row: dict) -> list[str]:
    if name == "gsm8k":
        return [row["answer"].split("####")[-1].strip()]
    if name == "olympiadbench":
        return row["final_answer"]
    if name == "minerva_math":
        return [extract(row["solution"]).answer]
    return [str(row["answer"])]


def measure(rows: list[list[str]], protocol: str, seed: int) -> dict:
    """Acceptance of golds and of shuffled golds, and the seconds of every verdict."""
    shuffled = rows[:]
    random.Random(seed).shuffle(shuffled)
    seconds, refused, accepted, pairs = [], [], [], 0
    for own, other in zip(rows, shuffled, strict=True):
        for answer, is_own in ((own[0], True), (other[0], False)):
            if not is_own and key(tidy(answer)) in {key(tidy(gold)) for gold in own}:
                continue
            pairs += not is_own
            start = time.perf_counter()
            verdict = grade(f"The answer is \\boxed{{{answer}}}.", own, protocol)
            seconds.append(time.perf_counter() - start)
            if verdict.correct != is_own:
                (refused if is_own else accepted).append((answer, own[0], verdict.reason))
    seconds.sort()
    return {
        "gold": 1 - len(refused) / len(rows),
        "shuffled": len(accepted) / max(1, pairs),
        "per_s": len(seconds) / sum(seconds),
        "p50_ms": 1e3 * seconds[len(seconds) // 2],
        "p99_ms": 1e3 * seconds[int(len(seconds) * 0.99)],
        "refused": refused,
        "accepted": accepted,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verifier", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=Path(os.environ.get("AREAL_LITE_DATA", "../shared/data")),
                        help="directory of the data (default %(default)s)")
    parser.add_argument("--protocol", default="ours", choices=("ours", "qwen", "math-verify"), help="which grader (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the shuffle (default %(default)s)")
    parser.add_argument("--show", action="store_true", help="list golds refused and shuffled golds accepted")
    options = parser.parse_args()
    if not (sets := list(gold_sets(options.data))):
        parser.error(f"no file with golds in {options.data}; give the directory that holds the evaluation and training files")
    grade("\\boxed{\\sum_{k=1}^{3} k}", ["6"], options.protocol)
    print(f"{'set':<36}{'rows':>6}{'gold':>10}{'shuffled':>10}{'per s':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for name, rows in sets:
        r = measure(rows, options.protocol, options.seed)
        print(f"{name:<36}{len(rows):>6}{r['gold']:>10.2%}{r['shuffled']:>10.2%}{r['per_s']:>9.0f}"
              f"{r['p50_ms']:>9.3f}{r['p99_ms']:>9.2f}", flush=True)  # fmt: skip
        for kind in ("refused", "accepted") if options.show else ():
            for answer, gold, reason in r[kind]:
                print(f"    {kind}: {answer!r} for {gold!r} ({reason})")


if __name__ == "__main__":
    main()
