"""A whole evaluation as a user starts it: real vLLM, a made model, real benchmark rows."""
import csv
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from areal_lite import record
from areal_lite.dataset import load_rows
from areal_lite.evaluation.results import numbers

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("AREAL_LITE_DATA", ROOT.parent / "shared" / "data")) / "eval_qwen_harness"
NAMES = ("aime24", "amc23", "math500", "gsm8k", "minerva_math", "olympiadbench")


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="no benchmark files; set AREAL_LITE_DATA")
def test_a_made_model_is_measured_on_real_rows_by_real_vllm_and_nothing_is_asked_twice(tmp_path):
    pytest.importorskip("vllm")
    subprocess.run([sys.executable, "-m", "areal_lite.toy.tiny", tmp_path], cwd=ROOT, check=True, timeout=300)
    words = [f"model={tmp_path / 'model'}", f"data={DATA}", f"benchmarks={','.join(NAMES)}", f"out={tmp_path / 'out'}", "limit=3",
             "n=4", "temperature=1.0", "top_p=0.95", "max_tokens=32", "template=qwen-boxed", "device=cpu", "dtype=float32"]
    command = [sys.executable, "-m", "areal_lite.evaluate", *words]
    first = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=480)
    assert first.returncode == 0, first.stderr
    assert "0 questions are finished already; 18 to answer" in first.stdout
    entries = numbers(tmp_path / "out")
    assert {e["benchmark"] for e in entries} == set(NAMES)
    for e in entries:
        found = list(record.read(e["result"]))
        real = load_rows(str(DATA / e["benchmark"] / "test.jsonl"))[:3]
        assert {(r["id"], r["problem"], *r["answers"]) for r in found} == {(r.id, r.problem, *r.answers) for r in real}
        samples = [s for r in found for s in r["samples"]]
        assert [len(r["samples"]) for r in found] == [4, 4, 4]
        assert all(s["tokens"] == 32 if s["finish"] == "length" else 1 <= s["tokens"] <= 32 for s in samples)
        assert len({s["text"] for s in samples}) > 6, "answers are drawn, each by its own seed"
        won = [[s["outcome"] == "correct" for s in r["samples"]] for r in found]
        for k, estimate in e["measures"]["pass"].items():
            by_hand = [np.mean([any(chosen) for chosen in combinations(w, int(k))]) for w in won]
            assert estimate["mean"] == pytest.approx(np.mean(by_hand), abs=1e-12)
    row, = csv.DictReader(open(tmp_path / "out" / "eval_results.csv"))
    assert float(row["avg_tokens"]) == pytest.approx(np.mean([e["measures"]["tokens"] for e in entries]))
    assert row["settings"] == "qwen-boxed-n4-t1-p0.95-m32-seed1-float32-ours-first3"
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert again.returncode == 0 and "18 questions are finished already; 0 to answer" in again.stdout
    assert (tmp_path / "out" / "plots").is_dir()
