"""What the verifier says about one response. Made once, by `math.grade` or by the pool, and never edited."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["correct", "wrong", "no_answer", "timeout", "crash"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to "is it right?", and why."""

    correct: bool
    outcome: Outcome
    """correct; wrong: there was an answer and it is not the gold; no_answer: nothing to compare;
    timeout: the deadline killed the worker; crash: the worker died or ran out of memory, or the user's function raised."""
    reason: str
    """The comparison that decided, or what went wrong; one short line."""
    extracted: str = ""
    """The answer that was compared, "" when there was none; at most 200 characters."""
    boxed: bool = False
    """The answer stood in a complete \\boxed{}."""
    score: float | None = None
    """What the user's own reward function returned; None without one."""
