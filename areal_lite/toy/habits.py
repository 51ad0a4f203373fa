"""Four ways to answer, which the cold start learns side by side and RL then chooses from, by problem and context.

Each is known by its first token. Lengths in tokens for n steps, the end token included:

  guess     5         right by luck only, or on a short chain
  terse     2n + 5    the totals alone, in such a hurry that carries are forgotten
  careful   5n + 5    quotes the step, then adds; right as long as the context holds it
  ramble    13n + 5   careful, but everything twice; right and far too long
"""
from areal_lite.toy.problems import LARGEST_TOTAL, NAMES, Problem

SHARES = {"guess": 0.17, "terse": 0.25, "careful": 0.25, "ramble": 0.33}
"""How often each occurs in the cold start's rows, whatever the problem."""
OPENINGS = {"guess": "Clearly", "terse": "Quickly,", "careful": "Carefully,", "ramble": "Hmm, let me see,"}


def answer(problem: Problem, habit: str) -> str:
    """A response to the problem in this habit, ending in \\boxed{...}. Raises KeyError for a habit it does not know."""
    working, total = OPENINGS[habit], problem.totals[0]
    for name, step in zip(NAMES, problem.steps, strict=False):
        quoted = f" {name}{step:+d}:{total}{step:+d}"
        total = _hasty(total, step) if habit == "terse" else total + step
        if habit == "terse":
            working += f" {name}={total}"
        elif habit == "careful":
            working += f"{quoted}={total}"
        elif habit == "ramble":
            working += f"{quoted}={total} wait,{quoted}={total} ok, so"
    return f"{working} \\boxed{{{total}}}"


def _hasty(total: int, step: int) -> int:
    """The sum without its carry: one too low where it passes ten upwards, one too high downwards; within 0 .. 15.

    A steady mistake, not a random slip: RL sharpens a random slip away in twenty steps, and terse working would win.
    """
    carry = (total + step >= 10) - (total >= 10)
    return min(max(total + step - carry, 0), LARGEST_TOTAL)
