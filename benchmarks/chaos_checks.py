"""What must hold of a run whatever happened to it: pure functions of the rows it left behind. Each returns what is broken.

Consumes rows of trained.jsonl (the simulated trainer's own notes), tickets.jsonl, metrics.jsonl and the last status.json.
"""
from collections import Counter


def trained(rows: list[dict], steps: int, prompts: int, group: int, staleness: int, journal: bool) -> list[str]:
    """Of the simulated trainer: {"from": version} when it starts, then {"step", "version", "answers"} for every batch.

    Steps follow each other from the version it resumed from; of what lasted, every sample of every ticket was trained exactly
    once and in its own step, within the staleness bound. Every token is of weights that were published under its version, and
    without a journal, which keeps the answers of a past that did not last, of those that lasted.
    """
    broken, lasting, expected = [], [], 0
    for row in rows:
        if "from" in row:
            if row["from"] > len(lasting):
                broken.append(f"resumed from version {row['from']}, {len(lasting)} were made")
            lasting, expected = lasting[:row["from"]], row["from"]
            continue
        if (row["step"], row["version"]) != (expected, expected):
            broken.append(f"step {row['step']} was sent to version {row['version']} where {expected} was next")
        lasting.append(row)
        expected += 1
    if len(lasting) != steps:
        broken.append(f"{len(lasting)} of {steps} steps were made")
    for n, row in enumerate(lasting):
        counts = Counter((k, sample) for k, sample, *_ in row["answers"])
        broken += _once(n, counts, [(k, sample) for k in range(n * prompts, (n + 1) * prompts) for sample in range(group)])
        for k, sample, oldest, newest, foreign, lost in row["answers"]:
            if not n - staleness <= oldest <= newest <= n:
                broken.append(f"step {n}: versions {oldest} to {newest} in ticket {k}, sample {sample}; max_staleness {staleness}")
            if foreign or (lost and not journal):
                broken.append(f"step {n}: of ticket {k}, sample {sample} {foreign} tokens are of no weights that were ever published, "
                              f"{lost} of weights that did not last")
    return broken


def tickets(rows: list[dict], steps: int, prompts: int, group: int) -> list[str]:
    """Of tickets.jsonl: every ticket once, whole, in the step that its number says."""
    broken = []
    if (found := [row["step"] for row in rows]) != list(range(1, steps + 1)):
        broken.append(f"tickets.jsonl holds the steps {found} where 1 to {steps} were to be made")
    for row in rows:
        n = row["step"] - 1
        broken += _once(n, Counter(k for k, *_ in row["tickets"]), range(n * prompts, (n + 1) * prompts))
        broken += [f"step {n}: {size} of {group} answers of ticket {k}" for k, _, size, _ in row["tickets"] if size != group]
    return broken


def metrics(rows: list[dict], steps: int, staleness: int, restarts: int) -> list[str]:
    """Of metrics.jsonl: a row per step, within the bound. A master that dies while a step is made takes along its row."""
    broken, found = [], [row["step"] for row in rows]
    if found != sorted(set(found) & set(range(1, steps + 1))) or len(found) < steps - restarts:
        broken.append(f"metrics.jsonl holds the steps {found} where 1 to {steps} were to be made, with {restarts} restarts")
    return broken + [f"step {row['step'] - 1}: staleness {row['staleness_max']:g}, bound {staleness}"
                     for row in rows if row["staleness_max"] > staleness]


def ledger(totals: dict[str, int]) -> list[str]:
    """Of a finished stage's status.json: every token that came in is somewhere, and none was dropped for being late."""
    came = totals["received"] + totals["taken_back"]
    placed = sum(totals[k] for k in ("trained", "evaluated", "filtered", "dropped", "refused"))
    broken = [f"{came} tokens came in, {placed} are accounted for: {totals}"] if placed != came else []
    return broken + ([f"{totals['dropped']} tokens were dropped"] if totals["dropped"] else [])


def _once(step: int, counts: Counter, wanted) -> list[str]:
    """What of `wanted` is not there exactly once, and what is there besides."""
    odd = {key: counts[key] for key in {*wanted, *counts} if counts[key] != (key in set(wanted))}
    return [f"step {step}: {key} was trained {n} times" for key, n in sorted(odd.items())]
