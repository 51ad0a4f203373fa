"""The viewer: what it says, and a real browser that reads two models' answers with it."""
import importlib.util
import json
import subprocess
import sys

import pytest

from areal_lite.evaluation.results import pairs
from areal_lite.view import words
from tests import browser

STEM = "none-n2-t1-p1-m64-seed1-float32-ours-all-00000000"
EVIL = "<img src=x onerror=\"document.title='owned'\"> ![](http://203.0.113.1/x.png) so \\boxed{9}"


def answer(text, outcome="wrong", found="9", finish="stop"):
    return {"text": text, "answer": found, "outcome": outcome, "finish": finish, "tokens": 7, "seconds": 0.1, "keywords": 1,
            "boxed": True, "repeats": False}


def question(i, *samples, benchmark="math500"):
    return {"id": f"q{i}", "benchmark": benchmark, "problem": f"What is $\\frac{{{i}}}{{2}} + 1$?", "answers": [str(i)],
            "prompt_tokens": 5, "samples": list(samples)}


def write(root, model, benchmark, rows, stem=STEM):
    directory = root / model / benchmark
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{stem}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return root / model


@pytest.fixture
def two(tmp_path):
    """Result directories: on q0 the second is better, on q1 worse, on q2 neither is right, q3 only the first has."""
    good, bad = answer("It is \\boxed{1}", "correct", "1"), answer("Wait, \\boxed{9}")
    first = [question(0, bad, bad), question(1, good, good), question(2, bad, answer("and so on", finish="length")),
             question(3, bad, bad)]
    first[2]["problem"] += EVIL
    second = [question(2, answer(EVIL), bad), question(0, good, bad), question(1, bad, good)]
    write(tmp_path, "before@11111111", "math500", first)
    a = write(tmp_path, "before@11111111", "aime24", [question(9, bad, bad, benchmark="aime24")])
    write(tmp_path, "after@22222222", "math500", second)
    return a, write(tmp_path, "after@22222222", "aime24", [question(9, good, bad, benchmark="aime24")])


def test_questions_are_those_that_both_have_in_the_firsts_order(two):
    found = {p.benchmark: p for p in pairs(*two)}
    assert list(found) == ["aime24", "math500"]
    assert [r["id"] for r in found["math500"].first] == [r["id"] for r in found["math500"].second] == ["q0", "q1", "q2"]


@pytest.mark.parametrize("show, ids", [
    ("all questions", ["q0", "q1", "q2"]), ("second is better", ["q0"]), ("second is worse", ["q1"]),
    ("neither is ever right", ["q2"]), ("both are always right", []), ("an answer was cut off", ["q2"])])
def test_a_filter_shows_the_questions_it_names(two, show, ids):
    pair = pairs(*two)[1]
    assert [label.split()[0] for label, _ in words.questions(pair, show)] == ids
    assert [pair.first[i]["id"] for _, i in words.questions(pair, show)] == ids


def test_labels_and_facts_say_what_was_answered(two):
    pair = pairs(*two)[1]
    assert words.questions(pair, "second is better")[0][0].startswith("q0   0/2 : 1/2   What is")
    assert words.samples(pair.second[0]) == [("1  ✓  7 tokens", 0), ("2  ✗  7 tokens", 1)]
    assert words.facts(pair.first[2], 1) == "✗ wrong, answer '9', 7 tokens, cut off, words of reflection: 1, boxed"
    assert words.headline(pair).startswith("3 questions. First 33.3 %")
    assert "Difference +0.0" in words.headline(pair) and words.headline(pair).endswith("better on 1, worse on 1.")


def test_one_file_against_another_pairs_different_settings(two):
    other = write(two[0].parent, "third@33333333", "aime24", [question(9, answer(""), benchmark="aime24")], stem="greedy-00000000")
    with pytest.raises(ValueError, match="no-such does not exist"):
        pairs(two[0], two[0].parent / "no-such")
    pair, = pairs(two[0] / "aime24" / f"{STEM}.jsonl", other / "aime24" / "greedy-00000000.jsonl")
    assert pair.settings == (STEM, "greedy-00000000")


def test_results_without_a_common_benchmark_are_refused_by_name(two):
    other = write(two[0].parent, "third@33333333", "gsm8k", [question(1, answer(""), benchmark="gsm8k")])
    with pytest.raises(ValueError, match=r"share no benchmark: the first has aime24 .*; the second gsm8k"):
        pairs(two[0], other)
    foreign = write(two[0].parent, "foreign", "aime24", [{"step": 1}])
    with pytest.raises(ValueError, match=r"aime24/.*jsonl holds no results of an evaluation"):
        pairs(two[0], foreign)


def test_the_viewer_says_what_is_missing(tmp_path):
    done = subprocess.run([sys.executable, "-m", "areal_lite.view", str(tmp_path / "a"), str(tmp_path / "b")],
                          capture_output=True, text=True)
    assert done.returncode == 2
    assert ".[view]'" in done.stderr or "a does not exist" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(bool(browser.missing()), reason=browser.missing() or "-")
@pytest.mark.skipif(importlib.util.find_spec("gradio") is None, reason="Gradio is not installed")
def test_a_browser_compares_two_models_and_reaches_nothing_but_this_machine(two, tmp_path):
    with subprocess.Popen([sys.executable, "-m", "areal_lite.view", *map(str, two), "--port", "0"], stdout=subprocess.PIPE,
                          text=True) as server:
        try:
            said = server.stdout.readline()
            assert said.startswith("showing aime24, math500 at http://127.0.0.1:"), said
            with browser.Browser(tmp_path / "profile") as b:
                read(b, said.split(" at ")[1].strip(), tmp_path)
        finally:
            server.terminate()


def read(b, url, tmp_path):
    """What a user does, and what has to be on the screen then."""
    def shows(css, text):
        return b.until(lambda: text in (b.value(css) or ""))

    def pick(name, option):
        b.click(f"#{name} input")
        b.until(lambda: b.script("return document.querySelectorAll('ul[role=listbox] li').length"))
        b.script("[...document.querySelectorAll('ul[role=listbox] li')].find(x => x.ariaLabel.includes(arguments[0]))"
                 ".dispatchEvent(new MouseEvent('mousedown', {bubbles: true}))", option)

    b.open(url)
    shows("#side1-text textarea", "It is \\boxed{1}")
    assert b.value("#side0-text textarea") == "Wait, \\boxed{9}"
    pick("benchmark", "math500")
    shows("#question input", "q0   0/2 : 1/2")
    b.until(lambda: b.script("return !!document.querySelector('#problem .katex')"))
    b.until(lambda: "3 questions" in b.script("return document.querySelector('#headline').innerText"))
    b.screenshot(tmp_path / "viewer.png")
    pick("side1-sample", "2  ")
    shows("#side1-text textarea", "Wait, \\boxed{9}")
    pick("show", "neither is ever right")
    shows("#question input", "q2")
    shows("#side1-text textarea", EVIL)
    b.until(lambda: "onerror" in b.script("return document.querySelector('#problem').innerText"))
    b.click("#next")
    shows("#question input", "q2")
    pick("show", "second is worse")
    shows("#question input", "q1   2/2 : 1/2")
    shows("#side0-facts textarea, #side0-facts input", "✓ correct, answer '1'")
    hosts = b.script("return [...new Set(performance.getEntriesByType('resource').map(e => new URL(e.name).host))]")
    assert hosts == [url.split("/")[2]], "the page asks nobody else"
    assert b.script("return document.title") == "AReaL-lite viewer", "an answer is text, never markup"
