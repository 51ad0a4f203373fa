"""Every number of an evaluation against brute force: enumeration, exact fractions, simulation with known truth."""
import itertools
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from areal_lite.evaluation.answers import COLUMNS, columns, keywords, measures, repeats
from areal_lite.evaluation.statistics import classes, compare, estimate, maj_at_k, pass_at_k, vote


def subsets_with_a_right_one(n, right, k):
    """Chance over all subsets of k of n answers, the first `right` of which are right."""
    chosen = list(itertools.combinations(range(n), k))
    return Fraction(sum(min(c) < right for c in chosen), len(chosen))


@pytest.mark.parametrize("n", range(1, 9))
def test_pass_at_k_is_the_share_of_all_subsets_that_hold_a_right_answer(n):
    for right, k in itertools.product(range(n + 1), range(1, n + 1)):
        assert pass_at_k(n, right, k) == pytest.approx(float(subsets_with_a_right_one(n, right, k)), abs=1e-15)


def test_pass_at_k_is_unbiased_where_the_usual_plug_in_is_not():
    n, k, p = 8, 4, 0.3
    chance = [comb(n, c) * p**c * (1 - p) ** (n - c) for c in range(n + 1)]
    expected = sum(q * pass_at_k(n, c, k) for c, q in enumerate(chance))
    plug_in = sum(q * (1 - (1 - c / n) ** k) for c, q in enumerate(chance))
    assert expected == pytest.approx(1 - (1 - p) ** k, abs=1e-12)
    assert plug_in < expected - 0.02


def test_pass_at_k_stays_exact_for_many_answers():
    assert pass_at_k(4096, 1, 1024) == 0.25
    assert pass_at_k(10_000, 9_999, 1) == pytest.approx(0.9999, abs=1e-15)


@pytest.mark.parametrize("n, right, k", [(4, 2, 5), (4, 5, 1), (4, 2, 0)])
def test_pass_at_k_of_more_answers_than_there_are_is_refused(n, right, k):
    with pytest.raises(ValueError, match="not defined"):
        pass_at_k(n, right, k)


def voted_by_hand(labels, right):
    """Vote by drawing every tied class once."""
    cast = [c for c in labels if c >= 0]
    if not cast:
        return Fraction(0)
    best = max(cast.count(c) for c in cast)
    tied = sorted({c for c in cast if cast.count(c) == best})
    return Fraction(sum(right[labels.index(c)] for c in tied), len(tied))


@given(st.lists(st.tuples(st.integers(-1, 3), st.booleans()), min_size=1, max_size=9))
def test_a_vote_is_the_share_of_right_classes_among_the_largest(answers):
    labels, right = [c for c, _ in answers], [ok for _, ok in answers]
    assert vote(labels, right) == pytest.approx(float(voted_by_hand(labels, right)))


def test_no_answer_has_no_vote():
    assert vote([-1, -1, 0], [False, False, True]) == 1.0
    assert vote([-1, -1], [False, False]) == 0.0


def test_maj_at_k_averages_over_disjoint_blocks_and_leaves_out_what_is_left():
    labels, right = [0, 0, 1, 1, 1, 0, 0], [True, True, False, False, False, True, True]
    assert maj_at_k(labels, right, 3) == 0.5           # 0 0 1 -> right, 1 1 0 -> wrong, the seventh is left over
    assert maj_at_k(labels, right, 1) == pytest.approx(4 / 7)
    assert maj_at_k(labels, right, 7) == 1.0


def test_maj_at_k_is_unbiased():
    """Over all orders of one set of answers it is the chance of a vote among k drawn ones."""
    labels, right = [0, 0, 1, 1, 2], [True, True, False, False, False]
    over_orders = np.mean([maj_at_k([labels[i] for i in o], [right[i] for i in o], 2)
                           for o in itertools.permutations(range(5))])
    over_subsets = np.mean([vote([labels[i] for i in s], [right[i] for i in s])
                            for s in itertools.combinations(range(5), 2)])
    assert over_orders == pytest.approx(over_subsets, abs=1e-12)


def test_equal_answers_share_a_class_whatever_their_spelling_and_none_is_negative():
    asked = []

    def same(a, b):
        asked.append((a, b))
        return Fraction(a) == Fraction(b)
    assert classes(["1/2", "", "3", "0.5", "1/2", "3.0"], same) == [0, -1, 1, 0, 0, 1]
    assert len(asked) == 4, "equal spellings are not compared"         # 3, 0.5 and 3.0 twice


@pytest.mark.parametrize("right, total", [(81, 263), (1, 29), (15, 30)])
def test_an_estimate_with_one_answer_each_is_wilsons_interval_with_one_question_less(right, total):
    """Its ends solve |p - t| = z sqrt(t (1 - t) / m); one question less, because the spread is estimated."""
    e, p, a = estimate([1.0] * right + [0.0] * (total - right)), right / total, 1.959963985**2 / (total - 1)
    assert (e.low, e.high) == pytest.approx(sorted(np.roots([1 + a, -2 * p - a, p * p])), abs=1e-9)


def test_no_right_answer_among_twenty_leaves_room_for_sixteen_percent():
    """Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3."""
    e = estimate([0.0] * 20)
    assert (e.mean, e.low) == (0.0, 0.0) and e.high == pytest.approx(0.1611, abs=5e-5)


def test_repeating_the_same_answers_does_not_make_an_estimate_surer():
    once = estimate([1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    eightfold = estimate([1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0], answers=8)
    assert (eightfold.low, eightfold.high) == (once.low, once.high)


def test_an_estimate_never_claims_certainty():
    for value, answers in itertools.product((0.0, 0.5, 1.0), (1, 32)):
        e = estimate([value] * 30, answers)
        assert e.low <= e.mean <= e.high and 0.0 <= e.low and e.high <= 1.0
        assert e.high - e.low > 0.02


def test_answers_are_never_counted_as_more_than_independent():
    """Questions that agree almost exactly are no more than Q * n coin tosses."""
    values = [0.5] * 19 + [0.5 + 1e-6]
    e, p, a = estimate(values, 4), float(np.mean(values)), 1.959963985**2 / 80
    assert (e.low, e.high) == pytest.approx(sorted(np.roots([1 + a, -2 * p - a, p * p])), abs=1e-9)


def test_clustered_intervals_hold_the_truth_about_as_often_as_they_say():
    """30 questions of very different difficulty (beta 0.5, 0.5), 8 answers each; answers within a question depend."""
    random, truth, hits, naive = np.random.default_rng(1), 0.5, 0, 0
    for _ in range(2000):
        per_question = random.binomial(8, random.beta(0.5, 0.5, 30)) / 8
        e = estimate(per_question, 8)
        hits += e.low <= truth <= e.high
        p = per_question.mean()
        naive += abs(p - truth) <= 1.96 * np.sqrt(p * (1 - p) / 240)
    assert 0.93 <= hits / 2000 <= 0.97
    assert naive / 2000 < 0.75, "240 answers are not 240 independent ones"


def test_a_paired_comparison_runs_through_all_sign_patterns():
    first, second = [0.0, 0.25, 0.5, 1.0, 0.5], [0.5, 0.5, 0.5, 0.75, 1.0]
    c = compare(first, second)
    differences = [b - a for a, b in zip(first, second, strict=True)]
    patterns = [abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
                for signs in itertools.product((-1, 1), repeat=5)]
    assert c.p_value == pytest.approx(np.mean([p >= abs(sum(differences)) - 1e-9 for p in patterns]))
    assert (c.questions, c.better, c.worse) == (5, 3, 1)
    assert c.difference == pytest.approx(0.2) and c.second - c.first == pytest.approx(0.2)
    error = np.std(differences, ddof=1) / np.sqrt(5)
    assert (c.low, c.high) == (pytest.approx(0.2 - 1.959964 * error), pytest.approx(0.2 + 1.959964 * error))


def test_random_sign_patterns_agree_with_all_of_them():
    differences = np.array([3, -1, 2, 2, -2, 1, 4, -3, 1, 2, -1, 3, 1, -2, 2, 1]) / 8
    signs = np.array(list(itertools.product((-1, 1), repeat=16)))
    exact = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9)
    assert 0.1 < exact < 0.3
    assert compare(np.zeros(16), differences).p_value == pytest.approx(exact, abs=0.015)


def test_pairing_sees_what_two_separate_intervals_hide():
    """The second model is a little better on every question, and questions differ a lot."""
    random = np.random.default_rng(2)
    first = random.uniform(0, 0.9, 60)
    c = compare(first, first + random.uniform(0.02, 0.1, 60))
    assert c.p_value < 0.001 and c.low > 0
    assert estimate(first).high > estimate(first + 0.06).low


def test_a_comparison_of_a_model_with_itself_finds_nothing_but_does_not_rule_out_what_so_few_questions_cannot():
    c = compare([0.0, 0.5, 1.0] * 10, [0.0, 0.5, 1.0] * 10)
    assert (c.difference, c.p_value, c.better, c.worse) == (0.0, 1.0, 0, 0)
    assert -c.low == c.high and (1 - c.high) ** 30 == pytest.approx(0.025)


def test_the_paired_test_is_wrong_about_as_often_as_it_says():
    random = np.random.default_rng(3)
    rejected = sum(compare(*random.binomial(4, random.uniform(0, 1, 30), (2, 30)) / 4).p_value < 0.05 for _ in range(200))
    assert 0.02 <= rejected / 200 <= 0.09


def test_unpaired_questions_are_refused():
    with pytest.raises(ValueError, match="3 and 2 questions cannot be paired"):
        compare([0, 1, 1], [0, 1])


def test_words_of_reflection_are_counted_in_any_case_and_inside_words():
    assert keywords("Wait, wait. However, let me recheck and TRY AGAIN; await.") == 6
    assert keywords("done") == 0


@pytest.mark.parametrize("text, expected", [
    ("0123456789" * 2, True), ("abcdefghijklmnopqrstuvwxyz0123456789!?", False),
    ("First of all some sentence here.\nfirst of all some sentence here!\n", True),
    ("The sum of seven is odd now\n12345 + 67890 = 80235 / xyz\n", False), ("", False), ("short", False)])
def test_a_repeat_is_two_neighbouring_pieces_that_are_nearly_the_same(text, expected):
    assert repeats(text) == expected


def made(outcomes, finishes=None, tokens=None, **more):
    """A row with one sample per outcome."""
    n = len(outcomes)
    samples = [{"text": "", "answer": "7" if o == "correct" else f"{i}", "outcome": o, "finish": f, "tokens": t, "seconds": 0.0,
                "keywords": 1, "boxed": o != "no_answer", "repeats": f == "length"}
               for i, (o, f, t) in enumerate(zip(outcomes, finishes or ["stop"] * n, tokens or [10] * n, strict=True))]
    return {"id": "q", "benchmark": "b", "problem": "", "answers": ["7"], "prompt_tokens": 3, "samples": samples, **more}


ROWS = [made(["correct", "wrong"], ["stop", "length"], [10, 40]), made(["no_answer", "wrong"], ["length", "stop"], [40, 30])]


def test_the_columns_are_simplerl_zoos():
    assert columns(ROWS) == {
        "acc": 25.0, "pass_acc": 50.0, "tokens": 30.0, "keywords": 1.0, "correct_tokens": 10.0,
        "wrong_tokens": pytest.approx(110 / 3), "clip_ratio": 0.5, "stop_tokens": 20.0, "stop_ratio": 0.5, "box_ratio": 0.75,
        "repeat_ratio": 0.5}
    assert tuple(columns(ROWS)) == COLUMNS


def test_columns_of_answers_that_never_stopped_are_zero_not_nan():
    assert columns([made(["wrong"], ["length"])])["stop_tokens"] == 0.0
    assert columns([made(["wrong"])])["correct_tokens"] == 0.0


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_measures_equal_brute_force_on_made_verdicts(n):
    random = np.random.default_rng(n)
    rows = [made(["correct" if random.random() < p else "wrong" for _ in range(n)]) for p in random.uniform(0, 1, 12)]
    m = measures(rows, lambda a, b: False)
    won = [[s["outcome"] == "correct" for s in r["samples"]] for r in rows]
    assert list(m["pass"]) == {1: ["1"], 2: ["1", "2"], 5: ["1", "2", "4", "5"], 8: ["1", "2", "4", "8"]}[n]
    for k, e in m["pass"].items():
        expected = np.mean([float(subsets_with_a_right_one(n, sum(w), int(k))) for w in won])
        assert e["mean"] == pytest.approx(expected, abs=1e-12)
    assert m["avg"]["mean"] == pytest.approx(np.mean(won)) == pytest.approx(m["pass"]["1"]["mean"]) == pytest.approx(m["acc"] / 100)
    assert m["maj"]["1"]["mean"] == pytest.approx(np.mean(won))
    assert m["pass"][str(n)]["mean"] == pytest.approx(m["pass_acc"] / 100)
    assert m["outcomes"] == {"correct": sum(map(sum, won)), "wrong": 12 * n - sum(map(sum, won)), "no_answer": 0,
                             "timeout": 0, "crash": 0}
