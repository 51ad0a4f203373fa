"""Verdict -> reward. Pure: the same verdict and lengths always give the same number.

`settings` is anything with the fields of the configuration's Reward: rule, correct, wrong, overlong_buffer,
overlong_penalty (>= 0, subtracted) and max_abs.
"""

from areal_lite.rewards.verdict import Verdict

SIMPLERL = {"right": 1.0, "wrong": -0.5, "unboxed": -1.0}
INDEPENDENT = {(True, True): 1.0, (False, True): 0.5, (True, False): -0.5, (False, False): -1.0}
"""(boxed, correct) -> reward."""


def reward(settings, verdict: Verdict, finish: str, output_tokens: int, max_new_tokens: int) -> float:
    """The reward of one response of `output_tokens` tokens that ended by `finish` ("stop" or "length").

    correctness: settings.correct when the verdict is correct and the response ended by itself, else settings.wrong.
    simplerl: +1 boxed and right, -0.5 boxed and wrong, -1 without a boxed answer.
    mix: the same, as SimpleRL-Zoo names it (hkust-nlp/simpleRL-reason, verl/utils/reward_score/simplelr_math.py; what its
    hf_math_verify.py calls mix, 1 right and 0 otherwise whatever the box, is correctness with correct=1, wrong=0).
    independent: +1 boxed and right, +0.5 right without a box, -0.5 boxed and wrong, -1 otherwise.
    function: what the user's function returned; settings.wrong when it timed out or crashed.
    Then the overlong penalty is subtracted and the sum is clipped to +-max_abs.
    Raises ValueError for an unknown rule.
    """
    if settings.rule == "correctness":
        value = settings.correct if verdict.correct and finish != "length" else settings.wrong
    elif settings.rule in ("simplerl", "mix"):
        value = SIMPLERL["unboxed" if not verdict.boxed else "right" if verdict.correct else "wrong"]
    elif settings.rule == "independent":
        value = INDEPENDENT[verdict.boxed, verdict.correct]
    elif settings.rule == "function":
        value = settings.wrong if verdict.score is None else verdict.score
    else:
        raise ValueError(f"reward.rule={settings.rule!r}: use one of correctness, simplerl, mix, independent, function")
    value -= overlong(output_tokens, max_new_tokens, settings.overlong_buffer, settings.overlong_penalty)
    return max(-settings.max_abs, min(settings.max_abs, value))


def overlong(output_tokens: int, max_new_tokens: int, buffer: int, penalty: float) -> float:
    """0 until `buffer` tokens before the limit, then linear to `penalty` at it (DAPO, arXiv:2503.14476, eq. 13)."""
    if buffer <= 0:
        return 0.0
    inside = output_tokens - (max_new_tokens - buffer)
    return penalty * min(1.0, max(0.0, inside / buffer))
