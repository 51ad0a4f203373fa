"""Verdict -> reward, with exact numbers."""

from types import SimpleNamespace

import pytest

from areal_lite.rewards.rules import overlong, reward
from areal_lite.rewards.verdict import Verdict

CORRECT = Verdict(True, "correct", "", "5", boxed=True)
WRONG = Verdict(False, "wrong", "", "5", boxed=True)
CORRECT_UNBOXED = Verdict(True, "correct", "", "5")
WRONG_UNBOXED = Verdict(False, "wrong", "", "5")
NONE = Verdict(False, "no_answer", "")
TIMEOUT = Verdict(False, "timeout", "")
CRASH = Verdict(False, "crash", "")
ALL = (CORRECT, WRONG, CORRECT_UNBOXED, WRONG_UNBOXED, NONE, TIMEOUT, CRASH)


def settings(rule: str, **changes) -> SimpleNamespace:
    default = {"correct": 5.0, "wrong": -5.0, "overlong_buffer": 0, "overlong_penalty": 0.0, "max_abs": 20.0}
    return SimpleNamespace(rule=rule, **{**default, **changes})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("correctness", [5.0, -5.0, 5.0, -5.0, -5.0, -5.0, -5.0]),
        ("simplerl", [1.0, -0.5, -1.0, -1.0, -1.0, -1.0, -1.0]),
        ("mix", [1.0, -0.5, -1.0, -1.0, -1.0, -1.0, -1.0]),
        ("independent", [1.0, -0.5, 0.5, -1.0, -1.0, -1.0, -1.0]),
    ],
)
def test_each_rule_gives_its_published_numbers(rule, expected):
    assert [reward(settings(rule), verdict, "stop", 100, 1000) for verdict in ALL] == expected


def test_one_and_zero_is_correctness_with_other_values():
    values = [reward(settings("correctness", correct=1.0, wrong=0.0), v, "stop", 100, 1000) for v in ALL]
    assert values == [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]


def test_an_answer_cut_by_the_context_is_wrong_under_correctness_only():
    assert reward(settings("correctness"), CORRECT, "length", 1000, 1000) == -5.0
    assert reward(settings("simplerl"), CORRECT, "length", 1000, 1000) == 1.0


def test_the_users_function_gives_the_reward_and_its_failure_costs_wrong():
    scored = Verdict(False, "wrong", "", score=2.5)
    assert reward(settings("function"), scored, "stop", 100, 1000) == 2.5
    assert reward(settings("function"), TIMEOUT, "stop", 100, 1000) == -5.0


@pytest.mark.parametrize(
    ("tokens", "expected"), [(0, 0.0), (800, 0.0), (801, 0.005), (900, 0.5), (1000, 1.0), (1200, 1.0)]
)
def test_the_overlong_penalty_grows_linearly_over_its_buffer(tokens, expected):
    assert overlong(tokens, 1000, 200, 1.0) == pytest.approx(expected, abs=1e-12)
    changed = settings("correctness", overlong_buffer=200, overlong_penalty=1.0)
    assert reward(changed, CORRECT, "stop", tokens, 1000) == pytest.approx(5.0 - expected, abs=1e-12)


def test_no_buffer_means_no_penalty():
    assert overlong(1000, 1000, 0, 9.0) == 0.0


def test_rewards_are_clipped_last():
    clipped = settings("correctness", correct=50.0, wrong=-50.0, max_abs=20.0)
    assert [reward(clipped, v, "stop", 1, 10) for v in (CORRECT, WRONG)] == [20.0, -20.0]
    assert reward(settings("function"), Verdict(False, "wrong", "", score=-99.0), "stop", 1, 10) == -20.0


def test_an_unknown_rule_is_the_users_error():
    with pytest.raises(ValueError, match=r"reward\.rule='best'"):
        reward(settings("best"), CORRECT, "stop", 1, 10)
