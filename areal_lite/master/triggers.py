"""When a stage ends before its steps are over: pure functions of the metrics so far."""
import numpy as np

from areal_lite.config.schema import Until


def reached(until: Until, rows: list[dict]) -> str:
    """Why the stage ends now, in words; "" to go on. rows: of metrics.jsonl, oldest first."""
    n = until.window
    if until.truncation_above and len(rows) >= n:
        rate = float(np.mean([r["truncated"] for r in rows[-n:]]))
        if rate > until.truncation_above:
            return f"truncation {rate:.3f} over {n} steps is above until.truncation_above={until.truncation_above}"
    if until.plateau and len(rows) >= 2 * n:
        before, now = (float(np.mean([r["reward"] for r in part])) for part in (rows[-2 * n:-n], rows[-n:]))
        if now - before < until.plateau:
            return f"reward rose by {now - before:.4f} over {n} steps, less than until.plateau={until.plateau}"
    return ""
