"""python -m areal_lite.replay RUN step=N [stage=NAME]: one recorded step again, on CPU: rewards -> advantages -> loss.

Reads a replay bundle (record.bundle_every_steps) and nothing else: the answers are graded anew, the advantages are made
of these rewards, and the loss of those and of the logprobs the trainer held. step=N is a row of metrics.jsonl, the
batch that made version N. RUN may also be a bundle's own directory, copied from anywhere. Waits for the verifier's
processes, each answer on its clock. Exit status: 0 the numbers are the run's, 1 they are not, 2 nothing to replay.

  python -m areal_lite.launch exp=quickstart record.bundle_every_steps=10      a run that records every tenth step
  python -m areal_lite.replay runs/quickstart stage=context-56 step=10         that step again
"""
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from areal_lite import record
from areal_lite.algorithms import advantages as adv
from areal_lite.algorithms.gap import PARTS
from areal_lite.algorithms.losses import policy_loss
from areal_lite.config import Stage, read_experiment, read_stage
from areal_lite.rewards import rules
from areal_lite.rewards.pool import VerifierPool
from areal_lite.trainer import bundle, pack
from areal_lite.types import Trajectory

UNDECIDED = ("timeout", "crash")
"""Outcomes that depend on the machine; the run's reward is taken for them, and they are counted."""
PATIENCE = 4.0
"""How many times longer than in the run an answer may take to grade."""
ADVANTAGE_TOLERANCE = 1e-12
"""Absolute; float64 sums in another order, over several ranks or on another machine, differ by this much and no more."""
LOSS_TOLERANCE = {"float32": 1e-5, "bfloat16": 1e-2}
"""Absolute, per loss token, by trainer.compute_dtype: the stored logprobs are of a forward pass of their own."""


@dataclass(frozen=True)
class Step:
    """A whole recorded step: every data-parallel share, and the text of every answer."""
    stage: Stage
    shares: list[bundle.Share]
    texts: dict[tuple[int, int, int], dict]
    """(k, attempt, sample) -> its row of answers.jsonl."""

    def trajectories(self) -> list[Trajectory]:
        """All, share after share."""
        return [t for share in self.shares for t in bundle.trajectories(share.batch)]


@dataclass(frozen=True)
class Finding:
    """One comparison with the run."""
    what: str
    equal: bool
    words: str


def load(directory: Path) -> Step:
    """Read a bundle directory. ValueError when something of it is missing or damaged."""
    shares = [bundle.read(file) for file in sorted(directory.glob("share-*.bundle"))]
    if not shares or sorted(s.rank for s in shares) != list(range(shares[0].ranks)):
        raise ValueError(f"{directory} holds {len(shares)} of {shares[0].ranks if shares else 'all'} data-parallel shares; "
                         f"copy every share-*.bundle")
    texts = {(r["k"], r["attempt"], r["sample"]): r for r in record.read(directory / "answers.jsonl")}
    step = Step(read_stage(directory), sorted(shares, key=lambda s: s.rank), texts)
    if missing := [_name(t) for t in step.trajectories() if _key(t) not in texts]:
        raise ValueError(f"{directory}/answers.jsonl lacks {len(missing)} answers, the first is {missing[0]}")
    return step


def regrade(step: Step) -> tuple[dict[int, float], Finding]:
    """id(trajectory) -> the reward its text earns now, and how it compares."""
    settings, limit = step.stage.reward, step.stage.generation.max_new_tokens
    pool = VerifierPool(settings.workers, settings.timeout_s * PATIENCE, settings.memory_mb, settings.protocol, settings.function)
    made, odd, undecided = {}, [], 0
    try:
        futures = [(t, pool.submit(step.texts[_key(t)]["response"], step.texts[_key(t)]["answers"], t.finish))
                   for t in step.trajectories()]
        for t, future in futures:
            verdict = future.result()
            made[id(t)] = rules.reward(settings, verdict, t.finish, len(t.output_ids), limit)
            if {verdict.outcome, t.outcome} & set(UNDECIDED):
                made[id(t)], undecided = t.reward, undecided + 1
            elif (made[id(t)], verdict.outcome) != (t.reward, t.outcome):
                odd.append(f"{_name(t)}: {t.reward:+g} {t.outcome} in the run, {made[id(t)]:+g} {verdict.outcome} now")
    finally:
        pool.close()
    count = f"{len(made) - len(odd) - undecided} of {len(made)} answers graded to the run's reward"
    return made, Finding("rewards", not odd, "; ".join([count, *odd[:3]] + [f"{undecided} timed out or crashed"] * bool(undecided)))


def advantages(step: Step, rewards: dict[int, float]) -> tuple[dict[int, np.ndarray], Finding]:
    """id(trajectory) -> [T] advantages of these rewards, and how they compare with what the trainer used."""
    a, groups = step.stage.algorithm, {}
    for t in step.trajectories():
        groups.setdefault((t.k, t.attempt), []).append(t)
    group = {key: np.array([rewards[id(t)] for t in sorted(ts, key=lambda t: t.sample)], np.float32) for key, ts in groups.items()}
    made, total = {}, np.zeros(3)
    for share in step.shares:
        ts = bundle.trajectories(share.batch)
        references = share.tables.get("reference", [None] * len(ts))
        plain = [pack.unnormalised(a, replace(t, reward=rewards[id(t)]), group[t.k, t.attempt], r)
                 for t, r in zip(ts, references, strict=True)]
        made |= {id(t): x for t, x in zip(ts, plain, strict=True)}
        total += adv.moments(plain)
    if a.advantage == "global":
        made = dict(zip(made, adv.normalise(list(made.values()), total), strict=True))
    theirs = {id(t): x for s in step.shares for t, x in zip(bundle.trajectories(s.batch), s.tables["advantages"], strict=True)}
    gap = {_name(t): float(np.abs(made[id(t)] - theirs[id(t)]).max(initial=0.0)) for t in step.trajectories()}
    worst = max(gap, key=gap.get)
    words = "bit for bit" if gap[worst] == 0 else f"largest difference {gap[worst]:.2g} in {worst}, allowed {ADVANTAGE_TOLERANCE:g}"
    tokens = sum(len(x) for x in made.values())
    return made, Finding("advantages", gap[worst] <= ADVANTAGE_TOLERANCE, f"{tokens} tokens: {words}")


def loss(step: Step, made: dict[int, np.ndarray], m: int) -> dict[str, float]:
    """Minibatch m over all shares, in float64: the loss and what it reports, per loss token."""
    settings, columns = pack.loss_settings(step.stage.algorithm), []
    tokens = step.shares[0].batch.minibatches[m].loss_tokens
    for share in step.shares:
        place = {id(t): i for i, t in enumerate(bundle.trajectories(share.batch))}
        for t in share.batch.minibatches[m].trajectories:
            mine = {name: values[place[id(t)]] for name, values in share.tables.items()}
            fields = pack.loss_fields(settings, share.batch.step, t, made[id(t)], mine.get("proximal"), mine.get("reference"))
            columns.append({**fields, "mask": np.ones(len(t.output_ids)), "behaviour": t.logprobs, "current": mine["current"]})
    flat = {name: torch.from_numpy(np.concatenate([c[name] for c in columns])).double() for name in columns[0]}
    value, sums = policy_loss(settings, flat["current"], torch.zeros_like(flat["mask"]), flat)
    out = {name: float(x) / max(tokens, 1) for name, x in {"loss": value, **sums}.items()
           if name != "entropy" and not name.startswith(PARTS)}
    out["loss"] -= settings.entropy_bonus * step.shares[0].metrics[m]["entropy"]     # the entropy itself is not recorded
    return out


def compare_loss(step: Step, made: dict[int, np.ndarray]) -> list[Finding]:
    """Every minibatch against what the trainer reported."""
    allowed, findings = LOSS_TOLERANCE[step.stage.trainer.compute_dtype], []
    for m, theirs in enumerate(step.shares[0].metrics):
        ours = loss(step, made, m)
        gap = {name: abs(ours[name] - theirs[name]) for name in ours}
        worst = max(gap, key=gap.get)
        findings.append(Finding(f"minibatch {m + 1}", gap[worst] <= allowed,
                                f"loss {ours['loss']:+.6g}, in the run {theirs['loss']:+.6g}; of {len(gap)} numbers {worst} differs "
                                f"most, by {gap[worst]:.2g}, allowed {allowed:g}"))
    return findings


def replay(directory: Path) -> list[Finding]:
    """All comparisons of one bundle, in the order in which the numbers are made."""
    step = load(directory)
    rewards, first = regrade(step)
    made, second = advantages(step, rewards)
    return [first, second, *compare_loss(step, made)]


def find(run: Path, words: dict[str, str]) -> Path:
    """The bundle directory that RUN, step= and stage= mean. ValueError names those there are."""
    if (run / "answers.jsonl").exists():
        return run
    if unknown := set(words) - {"step", "stage"}:
        raise ValueError(f"{', '.join(sorted(unknown))}: only step=N and stage=NAME are known")
    stages = [words["stage"]] if "stage" in words else [s.name for s in read_experiment(run).stages]
    there = {(name, int(d.name[5:])): d for name in stages for d in (run / name / "bundles").glob("step-*")}
    chosen = [d for (_, n), d in there.items() if str(n) == words.get("step", "")]
    if len(chosen) == 1:
        return chosen[0]
    if not there:
        raise ValueError(f"{run}: no step was recorded; run with record.bundle_every_steps=N")
    raise ValueError(f"{run}: say which step; recorded are: " + ", ".join(f"stage={name} step={n}" for name, n in sorted(there)[:20]))


def _key(t: Trajectory) -> tuple[int, int, int]:
    return t.k, t.attempt, t.sample


def _name(t: Trajectory) -> str:
    return f"ticket {t.k} sample {t.sample}"


def main(words: list[str]) -> int:
    """Print the findings; the exit status is this module's."""
    if not words or words[0].startswith("-"):
        print(__doc__)
        return 0 if "--help" in words or "-h" in words else 2
    torch.set_num_threads(1)
    try:
        directory = find(Path(words[0]), dict(word.split("=", 1) if "=" in word else (word, "") for word in words[1:]))
        findings = replay(directory)
    except (ValueError, json.JSONDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{directory}")
    for f in findings:
        print(f"  {f.what:<12} {'equal' if f.equal else 'DIFFERS':<8} {f.words}")
    same = all(f.equal for f in findings)
    print("the numbers are the run's" if same else "the numbers are NOT the run's")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
