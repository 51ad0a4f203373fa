"""The report: what is drawn is what the rows say, whatever state a run directory is in."""
import json
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import pyplot as plt

from areal_lite import record
from areal_lite.report import figures, page
from areal_lite.report.__main__ import main
from areal_lite.report.read import differences, read_run
from areal_lite.report.series import curve, ends, interval, smooth, spans, window_of
from tests.made_runs import make_run, other

SHORT = (("8k", 8192, 6), ("16k", 16384, 4))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def drawn(run, name="curriculum.png"):
    """Title -> panel of a figure of one or more runs."""
    runs = run if isinstance(run, list) else [run]
    return {panel.get_title("left"): panel for panel in figures.draw(runs)[name][0].axes}


def test_stages_stand_side_by_side_and_hold_every_row_at_its_step(tmp_path):
    run = read_run(make_run(tmp_path, plan=SHORT))
    first, second = spans([run])
    assert [(s.name, s.context, s.start, s.steps) for s in (first, second)] == [("8k", 8192, 0, 6), ("16k", 16384, 6, 4)]
    assert curve(first, "reward").tolist() == [[r["reward"] for r in run.stages[0].rows]]
    assert np.isnan(curve(second, "no such key")).all()


def test_the_drawn_curves_are_the_rows_and_the_shades_are_the_stages(tmp_path):
    run = read_run(make_run(tmp_path, plan=SHORT))
    panel = drawn(run)["Reward"]
    assert [line.get_xdata().tolist() for line in panel.lines] == [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10]]
    assert panel.lines[1].get_ydata().tolist() == [r["reward"] for r in run.stages[1].rows]
    assert [t.get_text() for t in panel.texts] == ["8K context", "16K context"]
    left, right = panel.patches
    assert left.get_x() + left.get_width() == 6 == right.get_x()
    held = drawn(run)["Accuracy"].containers[0]                   # an evaluation of version 0, before the first step
    assert held[0].get_xdata().tolist() == [0]
    assert held[0].get_ydata().tolist() == [run.stages[0].held[0]["accuracy"]]


def test_a_long_run_is_smoothed_within_a_stage_and_never_across(tmp_path):
    run = read_run(make_run(tmp_path))
    panel = drawn(run)["Reward"]
    raw, smoothed = panel.lines[2].get_ydata(), panel.lines[3].get_ydata()
    assert window_of(300) == 11
    assert raw.tolist() == [r["reward"] for r in run.stages[1].rows]
    assert smoothed[0] == pytest.approx(np.mean(raw[:6])) and smoothed[40] == pytest.approx(np.mean(raw[35:46]))


def test_several_runs_are_drawn_as_their_mean_with_a_band_from_lowest_to_highest(tmp_path):
    runs = [read_run(make_run(tmp_path, seed, plan=(("8k", 8192, 3),))) for seed in range(3)]
    values = np.array([[r["reward"] for r in run.stages[0].rows] for run in runs])
    panel = drawn(runs)["Reward"]
    np.testing.assert_allclose(panel.lines[-1].get_ydata(), values.mean(0))
    band = panel.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == values.min() and band[:, 1].max() == values.max()


def test_panels_of_what_a_run_does_not_measure_are_left_out(tmp_path):
    run = make_run(tmp_path, plan=(("8k", 8192, 3),))
    whole = drawn(read_run(run), "policy_gap.png")
    assert len(whole) == 4 and {p.get_subplotspec().rowspan.start for p in whole.values()} == {0, 1}
    rows = [{k: v for k, v in r.items() if not k.startswith(("gap_", "kl_start"))} for r in record.read(run / "8k" / "metrics.jsonl")]
    record.write(run / "8k" / "metrics.jsonl", "".join(json.dumps(r) + "\n" for r in rows))
    panels = drawn(read_run(run), "policy_gap.png")
    assert set(whole) - set(panels) == {"KL(policy || stage's start) per token", "|log-probability gap| by staleness"}
    assert [p.get_subplotspec().num1 for p in panels.values()] == [0, 1]           # side by side, and the figure half as high
    assert [p.get_xlabel() for p in panels.values()] == ["training step"] * 2
    assert 2 * panels.popitem()[1].figure.get_figheight() == whole.popitem()[1].figure.get_figheight()


def test_smoothing_is_a_centred_mean_of_what_is_there():
    values = np.array([1.0, 2.0, math.nan, 7.0, math.nan])
    np.testing.assert_allclose(smooth(values, 3), [1.5, 1.5, 4.5, 7.0, 7.0])
    assert np.isnan(smooth(np.array([math.nan, math.nan]), 1)).all()
    assert ends(np.arange(25.0)) == (2.0, 22.0)                   # of 25 steps the first and the last five


@pytest.mark.parametrize(("p", "n"), [(0.5, 40), (0.9, 100), (0.0, 30), (1.0, 30)])
def test_the_interval_ends_where_a_score_test_would_just_reject(p, n):
    for end, boundary in zip(interval(p, math.sqrt(p * (1 - p) / n), n), (0.0, 1.0), strict=True):
        if end != pytest.approx(boundary, abs=1e-12):
            assert abs(p - end) == pytest.approx(1.96 * math.sqrt(end * (1 - end) / n))
    low, high = interval(p, math.sqrt(p * (1 - p) / n), n)
    assert 0 <= low < high <= 1 and high - low > 0.05             # certain of nothing even at 0 and 1


def test_the_table_says_what_each_stage_did(tmp_path):
    run = make_run(tmp_path, plan=(("8k", 8192, 1),), sft=True, held=False)
    rows = list(record.read(run / "8k" / "metrics.jsonl"))
    rows[0] |= {"accuracy": 0.5, "length": 100.0, "truncated": 0.25, "step_s": 90.0, "staleness_max": 3.0}
    record.keep(run / "8k" / "metrics.jsonl", lambda row: False)
    record.append(run / "8k" / "metrics.jsonl", rows[0])
    record.append(run / "8k" / "evaluation.jsonl", {"step": 0, "accuracy": 0.4, "accuracy_se": 0.01, "answers": 10.0})
    record.append(run / "8k" / "evaluation.jsonl", {"step": 1, "accuracy": 0.65, "accuracy_se": 0.01, "answers": 10.0})
    head, cold, stage = page.table([read_run(run)])
    assert dict(zip(head, stage, strict=True)) == {
        "stage": "8k", "context": "8K context", "steps": "1", "held-out accuracy": "40.0 % -> 65.0 %",
        "training accuracy": "50.0 % -> 50.0 %", "length": "100.0 -> 100.0", "truncated": "25.0 % -> 25.0 %", "minutes": "1.5",
        "staleness": "3 of 4", "wasted tokens": "50 (5.0 %)"}
    assert dict(zip(head, cold, strict=True))["minutes"] == "0.7"  # 40 s


def test_the_page_holds_everything_itself_and_shows_samples_as_text(tmp_path):
    run = make_run(tmp_path, plan=SHORT)
    assert main([str(run)]) == 0
    text = (run / "report" / "index.html").read_text()
    assert len(re.findall(r'src="data:image/png;base64,', text)) == 3 == text.count("<img")
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "&lt;b&gt;so&lt;/b&gt; \\boxed{2}" in text and "1 &lt; 2 &amp; what?" in text
    assert {p.name for p in (run / "report").iterdir()} == {"index.html", "curriculum.png", "asynchrony.png", "policy_gap.png"}


def test_a_run_killed_in_the_second_stage_is_drawn_as_far_as_it_came(tmp_path, capsys):
    run = make_run(tmp_path, plan=SHORT, done=0.7)
    with open(run / "16k" / "metrics.jsonl", "a") as out:
        out.write('{"step": 2, "rew')                             # the kill came in the middle of a row
    assert main([str(run)]) == 0
    said = capsys.readouterr().out
    assert "not finished: 16k" in said and str(run / "report" / "index.html") in said
    assert drawn(read_run(run))["Reward"].lines[-1].get_xdata().tolist() == [7]


@pytest.mark.parametrize("done", [0.0, 0.1])
def test_supervised_stages_alone_or_with_a_single_step_are_drawn(tmp_path, done):
    run = make_run(tmp_path, plan=SHORT, sft=True, done=done)
    made = figures.draw([read_run(run)])
    assert set(made) == ({"supervised.png"} if done == 0 else {"supervised.png", "curriculum.png", "asynchrony.png", "policy_gap.png"})
    (panel,) = made["supervised.png"][0].axes
    assert panel.lines[0].get_ydata()[0] == 2.0 and main([str(run)]) == 0


def test_a_directory_that_is_no_run_is_one_clear_sentence(tmp_path, capsys):
    run = make_run(tmp_path, plan=SHORT)
    empty = make_run(tmp_path, seed=1, plan=SHORT, done=0.0)
    for path, words in ((tmp_path, "is not a run directory: it has no config.yaml"), (run / "8k", "is one stage of a run"),
                        (empty, "has no finished step yet"), (tmp_path / "nowhere", "is not a run directory")):
        assert main([str(path)]) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"error: {path}") and words in error


def test_runs_with_other_stages_are_refused_and_with_another_algorithm_are_marked(tmp_path, capsys):
    first, second, third = (make_run(tmp_path, seed, plan=plan) for seed, plan in enumerate((SHORT, SHORT, SHORT[:1])))
    assert differences([read_run(first), read_run(second)]) == []
    other(second, max_staleness=0)
    assert main([str(first), str(second)]) == 0
    assert "not only seeds differ: 8k.algorithm.max_staleness: 4, 0" in capsys.readouterr().out
    assert (first / "report-of-2-runs" / "curriculum.png").exists()
    assert main([str(first), str(third)]) == 2
    assert "different stages" in capsys.readouterr().err


def test_a_report_needs_no_torch(tmp_path):
    run = make_run(tmp_path, plan=SHORT)
    code = f"import sys; from areal_lite.report.__main__ import main; assert main([{str(run)!r}]) == 0; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
