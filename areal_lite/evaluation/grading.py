"""Verdicts outside of generation: an answer graded again by a newer verifier or a second one, and which answers are equal in a vote.

Everything goes through the verifier's killable pool, because it reads model output.
"""
import re
from collections import Counter
from collections.abc import Sequence
from json import dumps
from pathlib import Path

from areal_lite import record
from areal_lite.config.identity import verifier
from areal_lite.evaluation.answers import right
from areal_lite.rewards.pool import VerifierPool
from areal_lite.rewards.verdict import Verdict

TIMEOUT_S, MEMORY_MB = 5.0, 2048
TAIL = 400
VERIFIER = verifier()
"""Names the code that verdicts come from."""
WHOLE = re.compile(r"-?\d{1,9}")


class Graders:
    """One pool per protocol, started when it is first needed; all are ended with the `with` block."""

    def __init__(self, workers: int):
        self._workers = workers
        self._pools: dict[str, VerifierPool] = {}
        self._equal: dict[tuple[str, str], bool] = {}

    def same(self, a: str, b: str) -> bool:
        """Whether two extracted answers are equal, by our own comparison; b counts as the gold."""
        if WHOLE.fullmatch(a) and WHOLE.fullmatch(b):
            return int(a) == int(b)
        if (a, b) not in self._equal:
            self._equal[a, b] = bool(b.strip()) and self._pool("ours").submit(f"\\boxed{{{a}}}", [b]).result().correct
        return self._equal[a, b]

    def again(self, rows: Sequence[dict], protocol: str) -> None:
        """Replace the verdicts in `rows` by what this VERIFIER says."""
        for r, verdicts in zip(rows, self._graded(rows, protocol), strict=True):
            r["verifier"] = VERIFIER
            for s, v in zip(r["samples"], verdicts, strict=True):
                s["outcome"], s["answer"] = v.outcome, v.extracted

    def second(self, rows: Sequence[dict], first: str, protocol: str, file: Path) -> dict:
        """Grade every answer again by protocol, write those that `first` saw otherwise to file, and say how many."""
        graded = self._graded(rows, protocol)
        lines = [{"id": r["id"], "sample": i, "answers": r["answers"], first: [s["outcome"], s["answer"]],
                  protocol: [v.outcome, v.extracted], "tail": s["text"][-TAIL:]}
                 for r, of in zip(rows, graded, strict=True)
                 for i, (s, v, ok) in enumerate(zip(r["samples"], of, right(r), strict=True)) if v.correct != ok]
        record.write(file, "".join(dumps(line) + "\n" for line in lines))
        outcomes = Counter(v.outcome for of in graded for v in of)
        return {"protocol": protocol, "acc": 100 * outcomes["correct"] / outcomes.total(), "answers": outcomes.total(),
                "outcomes": dict(outcomes), "disagreements": len(lines), "file": str(file)}

    def _graded(self, rows: Sequence[dict], protocol: str) -> list[list[Verdict]]:
        """Verdicts on every answer of every row."""
        pool = self._pool(protocol)
        verdicts = [[pool.submit(s["text"], r["answers"], s["finish"]) for s in r["samples"]] for r in rows]
        return [[v.result() for v in of] for of in verdicts]

    def _pool(self, protocol: str) -> VerifierPool:
        if protocol not in self._pools:
            self._pools[protocol] = VerifierPool(self._workers, TIMEOUT_S, MEMORY_MB, protocol)
        return self._pools[protocol]

    def __enter__(self) -> "Graders":
        return self

    def __exit__(self, *_) -> None:
        for pool in self._pools.values():
            pool.close()
