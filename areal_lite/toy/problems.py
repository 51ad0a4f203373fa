"""The made problems: a start and a chain of named steps, "4 b+5 c-3?"; the answer is the total after the last step.

A longer chain needs longer working, about five tokens a step, and nothing else makes a problem harder.
"""
import random
from dataclasses import dataclass

STEPS = (3, 14)
"""Fewest and most steps; every number between is equally likely."""
LARGEST_STEP = 5
LARGEST_TOTAL = 15
"""Totals stay in 0 .. LARGEST_TOTAL, so a blind guess is right about one time in eight."""
NAMES = "bcdefghijklmno"
"""One letter a step, in this order: what lets a two-layer model find the step it is at."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A chain of n steps."""
    steps: tuple[int, ...]
    """n numbers, none of them 0."""
    totals: tuple[int, ...]
    """n + 1 numbers: the start, and the total after each step; the last one is the answer."""

    @property
    def prompt(self) -> str:
        """What the model is asked."""
        named = (f" {name}{step:+d}" for name, step in zip(NAMES, self.steps, strict=False))
        return f"{self.totals[0]}{''.join(named)}?"


def draw(rng: random.Random) -> Problem:
    """A random problem; every total lies in 0 .. LARGEST_TOTAL."""
    totals, steps = [rng.randint(1, 9)], []
    for _ in range(rng.randint(*STEPS)):
        sizes = [s for s in range(-LARGEST_STEP, LARGEST_STEP + 1) if s and 0 <= totals[-1] + s <= LARGEST_TOTAL]
        steps.append(rng.choice(sizes))
        totals.append(totals[-1] + steps[-1])
    return Problem(tuple(steps), tuple(totals))
