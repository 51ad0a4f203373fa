"""The verifier itself: the case tables, hostile text, real golds, options and published protocols."""

import os
import random
import threading
import time
from pathlib import Path

import pytest

from areal_lite.rewards import symbolic
from areal_lite.rewards.extract import extract
from areal_lite.rewards.math import grade
from areal_lite.rewards.scalars import Options
from areal_lite.rewards.verdict import Verdict
from benchmarks.verifier import gold_sets
from tests.extraction_cases import CASES as EXTRACTION_CASES
from tests.verifier_cases import cases

DATA = Path(os.environ.get("AREAL_LITE_DATA", Path(__file__).parents[2] / "shared" / "data"))
CATEGORIES = sorted({category for category, *_ in cases()})


def right(answer: str, *golds: str, **settings) -> bool:
    return grade(f"The answer is \\boxed{{{answer}}}.", list(golds), **settings).correct


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_case_of_a_category_gets_its_verdict(category):
    wrong = [
        (answer, gold, expected)
        for name, answer, gold, expected in cases()
        if name == category and right(answer, gold) is not expected
    ]
    assert wrong == []


def test_the_case_table_accepts_and_rejects_in_every_category():
    both = {category: {expected for name, _, _, expected in cases() if name == category} for category in CATEGORIES}
    assert all(kinds == {True, False} for kinds in both.values())
    assert len(cases()) > 1000


@pytest.mark.parametrize(("response", "answer"), EXTRACTION_CASES)
def test_the_answer_is_taken_from_where_the_response_commits_to_it(response, answer):
    assert extract(response).answer == answer


def test_a_verdict_says_what_was_compared_and_why():
    assert grade("so \\boxed{\\frac12}", ["0.5"]) == Verdict(True, "correct", "same number", "\\frac12", boxed=True)
    assert grade("so \\boxed{3}", ["4"]) == Verdict(False, "wrong", "differs from every gold", "3", boxed=True)
    assert grade("no idea\nat all", ["4"]) == Verdict(False, "no_answer", "no marked answer")
    assert grade("\\boxed{4", ["4"]) == Verdict(False, "no_answer", "box never closes")


def test_any_of_several_golds_is_enough():
    assert right("7", "6", "7")
    assert not right("8", "6", "7")


@pytest.mark.parametrize(
    ("response", "gold", "expected"),
    [
        (r"So $\boxed{1}$ and $\boxed{2}$.", "1,2", True), (r"\boxed{1}, \boxed{2}", r"\{2,1\}", True),
        (r"$\boxed{1}$, $\boxed{2}$, and $\boxed{3}$", "1,2,3", True), (r"\boxed{1} and \boxed{2}", "2", True),
        (r"\boxed{1} and \boxed{2}", "1", False), (r"\boxed{1} and \boxed{2}", "(2,1)", False), (r"\boxed{1}, \boxed{234}", "1234", False),
        (r"First \boxed{1}. Then \boxed{2}", "1,2", False), (r"\boxed{1}, \boxed{2}", "1", False),
    ],
)
def test_boxes_of_one_list_are_one_answer_and_otherwise_the_last_counts(response, gold, expected):
    assert grade(response, [gold]).correct is expected


@pytest.mark.parametrize("golds", [[], [""], ["  "], "5"])
def test_a_missing_gold_is_refused(golds):
    with pytest.raises(ValueError, match="non-empty gold"):
        grade("\\boxed{5}", golds)


def test_an_unknown_protocol_is_refused():
    with pytest.raises(ValueError, match="use ours, qwen or math-verify"):
        grade("\\boxed{5}", ["5"], "strict")


@pytest.mark.parametrize("size", [10**3, 10**6])
def test_an_extracted_answer_is_cut_to_200_characters(size):
    assert grade(f"\\boxed{{{'9' * size}}}", ["5"]).extracted == "9" * 200


def test_options_change_what_they_name_and_nothing_else():
    assert not right("50", "0.5") and right("50", "0.5", options=Options(percent_without_sign=True))
    assert not right("(2,1)", "(1,2)") and right("(2,1)", "(1,2)", options=Options(unordered_tuples=True))
    prose = "We add 3 and 4.\nThat gives 7 apples and we are done with this long line."
    assert grade(prose, ["7"]).outcome == "no_answer"
    assert grade(prose, ["7"], options=Options(last_number=True)).correct
    assert not right("51", "0.5", options=Options(percent_without_sign=True))
    assert not right("(2,3)", "(1,2)", options=Options(unordered_tuples=True))


@pytest.mark.parametrize(
    ("answer", "gold", "ours", "qwen", "math_verify"),
    [
        ("50", "0.5", False, True, False),
        ("3.0001", "3", False, True, False),
        ("[1,2]", "(1,2)", False, True, False),
        ("\\frac{1}{2}", "0.5", True, True, True),
        ("x^2+2x+1", "(x+1)^2", True, True, True),
        ("8", "7", False, False, False),
    ],
)
def test_the_published_protocols_keep_their_quirks(answer, gold, ours, qwen, math_verify):
    assert right(answer, gold) is ours
    assert right(answer, gold, protocol="qwen") is qwen
    assert right(answer, gold, protocol="math-verify") is math_verify


def test_the_qwen_protocol_falls_back_to_the_last_number():
    assert grade("We get 3 and then 7 apples.", ["7"], "qwen").correct
    assert grade("nothing here", ["7"], "qwen").outcome == "no_answer"


HOSTILE = [
    "9^{9^{9^{9}}}", "9^9^9^9", "2^{10^9}", "(10^{10})^{10^{10}}", "9" * 10**6, "1." + "3" * 10**5, "1e99999999999",
    "{" * 10**4, "}" * 10**4, "(" * 10**4 + ")" * 10**4, "\\frac{1}{" * 5000 + "2" + "}" * 5000, "\\boxed{" * 150_000,
    "\\boxed{1}" * 120_000, "__import__('os').system('touch HOSTILE')", "(((((9!)!)!)!)!)!", "\\binom{10^{9}}{10^{8}}",
    "\\sum_{k=1}^{10^{9}} k^{99}", "\\prod_{k=1}^{9999} k", "\\int \\sin(\\cos(\\tan(x^9))) dx", "\\sin(10^{1000})",
    "e^{e^{e^{e^{e}}}}", "\\infty-\\infty", "\\frac{0}{0}", "0^{-1}", "x+" * 2000 + "1", "1," * 5000 + "1", "|" * 999,
    "_" * 5000, "^" * 5000, "-" * 3000 + "5", "5" + "!" * 3000, "\\sin" * 400 + "x", "\\pm 1" * 20, "\\pm(" * 20 + "1",
    "\\begin{pmatrix}" * 500, "\\text{" * 5000, "\x00\x01", "\ud800", "İ" * 1000 + " answer is 5",
    "answer is " * 20_000,
    "<answer>" * 20_000, "</think>" * 50_000, "$" * 10_000, "\\" * 10**5, " " * 10**6, "0." + "0" * 3000 + "1",
    "\\max(" + "1," * 300 + "1)", "(x+y+z)^{1000}", "((x+1)^{100})^{100}", "][", "\\}\\{", "\\$", "\\degree", "/",
    "5 m^{999999999}", "\\sqrt[0]{5}", "\\log_1 5", "\\cot 0", "\\sinh(10^9)", "(10^{400})!", "(-1)!", "x_{x_{x_{x}}}",
    "= \\approx", ", ".join(f"|x|<{n}" for n in range(60)), "\\cup ".join(f"({n},{n + 1})" for n in range(100)),
    "x+" * 550 + "x<5", "x^{x^{x}}<5", "(\\pm 1,\\pm 1,\\pm 1,\\pm 1,\\pm 1)", "1000!!!!", "5 m" * 400, "C(" * 900, "⁰" * 20_000,
    "0.\\dot{1}" + "2" * 5000 + "\\dot{3}", "\\color{red}" * 3000, "9" * 9999 + ",5", "nine " + "million " * 200,
    "x\\equiv " + "1," * 400 + "\\pmod 7", "1" + "\\bmod 7" * 400, "10^{400} \\pmod{10^{300}}", "1e9999", "1e-9999",
    "and " * 5000 + "a half", "{" * 5000 + "7" + "}" * 5000, ",".join(f"\\sqrt{{{n}+\\sqrt{{x}}}}" for n in range(60)),
    "(1," * 6000 + "u(", ",;" * 190 + "x\\in\\mathbb{R}", "twenty one and " * 60 + "a half", "\\boxed{1}, " * 20_000,
    "1,234'567_000" * 900, "(mod " * 5000, "\\begin{align}" * 1500,
    "A," * 400 + "B", "A B " * 12 + "Z", "1.2.3", "=", "<", "x=", "\\in", "\\cup", "1\\cup", "99:99", "99999-99-99",
]  # fmt: skip
GOLDS = ["5", "\\frac{1}{2}", "x^2+1", "(1,2)", "\\{1,2\\}", "x>5", "\\text{(C)}", "5\\text{ cm}", "9^{9^{9}}"]
FROM_A_LINE = {"İ" * 1000 + " answer is 5", "5 m^{999999999}"}


@pytest.mark.parametrize("text", HOSTILE, ids=[f"{n}-{len(text)}" for n, text in enumerate(HOSTILE)])
def test_hostile_text_is_wrong_within_five_seconds_and_does_nothing(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for response in (text, f"\\boxed{{{text}}}"):
        start = time.monotonic()
        verdict = grade(response, GOLDS)
        assert time.monotonic() - start < 5
        assert text in FROM_A_LINE or not verdict.correct
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("answer", "gold"), [("5, x=2", "y=1, 3"), ("x=2, 5", "3, y=1"), ("1, x=2", "x=1, 2")])
def test_lists_of_which_only_some_items_are_named_get_a_verdict(answer, gold):
    assert grade(f"\\boxed{{{answer}}}", [gold]).outcome in ("correct", "wrong")


@pytest.mark.parametrize("protocol", ["ours", "qwen"])
def test_broken_and_mixed_answers_never_raise(protocol):
    source = random.Random(20250224)
    texts = [text for _, answer, gold, _ in cases() for text in (answer, gold) if "\\sum" not in text]
    for _ in range(1500):
        answer, gold = source.choice(texts), source.choice(texts)
        at = source.randrange(len(answer) + 1)
        broken = [
            answer[:at] + source.choice("()[]{},=<>^_+-*/|!:;%$\\&.0 5xe") + answer[at:],
            answer[:at] + answer[at + 1 :],
            answer + source.choice([", ", " and ", "=", "\\cup "]) + source.choice(texts),
        ]
        assert grade(f"\\boxed{{{source.choice(broken)}}} ", [gold], protocol).outcome != "crash"


def test_grade_may_be_called_from_many_threads():
    pairs = [(str(n), str(n + n % 2)) for n in range(200)] + [("\\sum_{k=1}^{4} k", "10")] * 4
    results = {}

    def work(part):
        for n in part:
            results[n] = right(*pairs[n])

    threads = [threading.Thread(target=work, args=(range(k, len(pairs), 4),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [results[n] for n in range(len(pairs))] == [n % 2 == 0 for n in range(200)] + [True] * 4


@pytest.mark.skipif(not DATA.exists(), reason="needs the real data: set AREAL_LITE_DATA")
def test_real_golds_are_accepted_respelt_and_rejected_when_shuffled():
    sets = {name: rows for name, rows in gold_sets(DATA) if name in ("math500", "gsm8k", "olympiadbench", "simplerl")}
    assert len(sets["simplerl"]) == 8521 and len(sets["math500"]) == 500
    for rows in sets.values():
        rows = random.Random(7).sample(rows, 300)
        accepted = sum(right(respelt(golds[0]), *golds) for golds in rows)
        assert accepted >= 0.995 * len(rows)
        shifted = rows[1:] + rows[:1]
        pairs = [(mine, other) for mine, other in zip(rows, shifted, strict=True) if not set(mine) & set(other)]
        assert sum(right(other[0], *mine) for mine, other in pairs) <= 0.005 * len(pairs) + 1


def respelt(gold: str) -> str:
    """Another spelling of the same answer."""
    return (
        "$ " + gold.replace("\\frac{", "\\dfrac{").replace("\\sqrt{", "\\sqrt {").replace(",", ", ").strip("$") + " $"
    )


def test_an_answer_that_sympy_cannot_decide_in_time_is_a_timeout_and_never_silently_wrong(monkeypatch):
    undecided, gold = r"\int_0^1 \sin(x) dx", r"\int_0^1 \cos(x) dx"
    ask = symbolic.ask
    monkeypatch.setattr(symbolic, "ask", lambda item, deadline: ask(item, deadline, 0.0))       # its clock has run out
    late = grade(rf"\boxed{{{undecided}}}", [gold])
    assert (late.correct, late.outcome) == (False, "timeout")
    assert grade(rf"\boxed{{{undecided}}}", [gold, undecided]).correct
