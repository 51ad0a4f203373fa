"""The quickstart's made task: honest problems, habits that are what they say, a tokenizer and model others load."""
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from areal_lite.config import load
from areal_lite.dataset import load as load_dataset
from areal_lite.rewards.math import grade
from areal_lite.toy import make

ROOT = Path(__file__).resolve().parents[1]
OPENINGS = {"Clearly": "guess", "Quickly,": "terse", "Carefully,": "careful", "Hmm, let me see,": "ramble"}
TOKENS_A_STEP = {"guess": 0, "terse": 2, "careful": 5, "ramble": 13}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toy")
    make(folder, seed=1)
    return folder


@pytest.fixture(scope="module")
def tokenizer(made):
    return Tokenizer.from_file(str(made / "model" / "tokenizer.json"))


def rows(folder, name):
    return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text("utf-8").splitlines()]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def steps(prompt):
    return len(re.findall(r"[+-]", prompt))


def worked_out(prompt):
    """The answer by arithmetic on the text alone: a signed number each, summed."""
    return str(sum(int(number) for number in re.findall(r"[+-]?\d+", prompt)))


def test_making_it_twice_gives_the_same_bytes(made, tmp_path):
    before = files(made)
    subprocess.run([sys.executable, "-m", "areal_lite.toy", str(tmp_path), "1"], check=True, cwd=ROOT)
    assert files(tmp_path) == before
    make(tmp_path, seed=1)
    assert files(tmp_path) == before


def test_another_seed_is_another_model_and_other_training_rows_but_the_same_held_out_problems(made, tmp_path):
    make(tmp_path, seed=2)
    one, two = files(made), files(tmp_path)
    changed = {name for name in one if one[name] != two[name]}
    assert changed == {"train.jsonl", "sft.jsonl", "model/model.safetensors"}


def test_no_problem_occurs_twice_so_what_is_held_out_was_never_trained_on(made):
    prompts = [row["prompt"] for name in ("train", "sft", "heldout") for row in rows(made, name)]
    assert len(prompts) == len(set(prompts)) == 4096 + 16000 + 256


def test_every_answer_is_what_arithmetic_says(made):
    for row in rows(made, "train") + rows(made, "heldout"):
        assert row["answers"] == [worked_out(row["prompt"])], row


def test_chains_of_every_length_are_equally_common(made):
    counts = Counter(steps(row["prompt"]) for row in rows(made, "train"))
    assert set(counts) == set(range(3, 15))
    assert min(counts.values()) > 270 and max(counts.values()) < 415         # 4096 / 12 = 341, four deviations of 18


def test_the_right_answer_cannot_be_read_off_one_number(made):
    """No constant answer, and no number of the prompt, is right for more than a fifth of the problems."""
    train = rows(made, "train")
    assert max(Counter(row["answers"][0] for row in train).values()) < 0.2 * len(train)
    for place in (0, -1):
        seen = [re.findall(r"\d+", row["prompt"])[place] == row["answers"][0] for row in train]
        assert sum(seen) < 0.2 * len(train)


def test_the_habits_have_comparable_shares_whatever_the_length_of_the_chain(made):
    by_length = defaultdict(Counter)
    for row in rows(made, "sft"):
        by_length[steps(row["prompt"])][row["habit"]] += 1
    for counts in by_length.values():
        for habit, share in {"guess": 0.17, "terse": 0.25, "careful": 0.25, "ramble": 0.33}.items():
            assert abs(counts[habit] / counts.total() - share) < 0.06


def test_a_habit_is_known_by_its_first_token_and_has_the_length_it_promises(made, tokenizer):
    for row in rows(made, "sft")[:2000]:
        encoded = tokenizer.encode(row["response"])
        assert OPENINGS[encoded.tokens[0]] == row["habit"]
        with_end = len(encoded.ids) + 1
        assert with_end == 5 + TOKENS_A_STEP[row["habit"]] * steps(row["prompt"])


def test_all_but_terse_working_ends_right_and_terse_working_errs_more_on_longer_chains(made):
    right = defaultdict(list)
    for row in rows(made, "sft"):
        band = "long" if steps(row["prompt"]) > 8 else "short"
        verdict = grade(row["response"], [worked_out(row["prompt"])])
        right[row["habit"], band if row["habit"] == "terse" else ""].append(verdict.correct)
    share = {key: sum(values) / len(values) for key, values in right.items()}
    assert share["guess", ""] == share["careful", ""] == share["ramble", ""] == 1
    assert 0.42 < share["terse", "long"] < 0.56 < 0.58 < share["terse", "short"] < 0.72


def test_terse_working_is_off_by_one_exactly_where_a_total_passes_ten(made):
    for row in rows(made, "sft"):
        if row["habit"] == "terse":
            totals = [int(row["prompt"].split()[0])] + [int(n) for n in re.findall(r"=(\d+)", row["response"])]
            for before, step, after in zip(totals, re.findall(r"[+-]\d", row["prompt"]), totals[1:], strict=False):
                right = before + int(step)
                off = -1 if before < 10 <= right else 1 if right < 10 <= before else 0
                assert after == min(max(right + off, 0), 15)


def test_careful_working_shows_sums_that_are_true(made):
    for row in rows(made, "sft"):
        if row["habit"] == "careful":
            for left, step, total in re.findall(r":(\d+)([+-]\d+)=(\d+)", row["response"]):
                assert int(left) + int(step) == int(total)


def test_the_tokenizer_gives_back_every_text_and_transformers_reads_it_alike(made, tokenizer):
    from transformers import AutoTokenizer

    heavy = AutoTokenizer.from_pretrained(made / "model")
    assert (heavy.eos_token, heavy.pad_token) == ("<eos>", "<pad>")
    for row in rows(made, "sft")[:500]:
        text = row["prompt"] + row["response"]
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids) == text and len(heavy) == tokenizer.get_vocab_size() <= 96
        assert heavy.encode(text) == ids and heavy.decode(ids) == text


def test_the_longest_token_wins_and_characters_it_does_not_know_are_dropped(tokenizer):
    assert tokenizer.encode("7 b+5 z=12?").tokens == ["7", " b", "+5", "=12", "?"]


def test_the_model_loads_in_transformers_with_every_weight_and_finite_logits(made, tokenizer):
    import torch
    from transformers import AutoModelForCausalLM

    model, loaded = AutoModelForCausalLM.from_pretrained(made / "model", output_loading_info=True)
    assert not loaded["missing_keys"] and not loaded["unexpected_keys"] and not loaded["mismatched_keys"]
    assert model.dtype == torch.float32 and model.config.rope_parameters["rope_theta"] == 1000.0
    assert model.num_parameters() == 308_352 and model.lm_head.weight is model.model.embed_tokens.weight
    logits = model(torch.tensor([tokenizer.encode("7 b+5 c-3?").ids])).logits
    assert logits.shape == (1, 6, 96) and logits.isfinite().all() and logits.std() > 0.01


def test_the_quickstart_reads_these_files_and_its_contexts_grow_from_some_careful_answers_to_all(made):
    sft, *stages = load(["exp=quickstart", f"run_dir={made.parent}"]).stages
    heldout, shares = rows(made, "heldout"), []
    for stage in stages:
        assert stage.kind == "rl" and stage.evaluation.max_new_tokens == stages[-1].generation.max_new_tokens
        fits = [5 * steps(row["prompt"]) + 5 <= stage.generation.max_new_tokens for row in heldout]
        shares.append(sum(fits) / len(fits))
    assert 0.25 < shares[0] < shares[1] < shares[2] == 1
    cut = [5 + TOKENS_A_STEP[row["habit"]] * steps(row["prompt"]) > stages[0].generation.max_new_tokens
           for row in rows(made, "sft")]
    assert 0.2 < sum(cut) / len(cut) < 0.5, "a first context should cut some answers of the cold start, not most"
    dataset = load_dataset(str(made / "sft.jsonl"), str(made / "model"), format=sft.data.format,
                           max_response_tokens=sft.generation.max_new_tokens)
    assert len(dataset) == 16000 == sft.until.steps * sft.algorithm.prompts_per_step and dataset.cut == 0
