"""Dataset: every published format, its traps, and an order that is a function of (seed, n)."""
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from areal_lite.dataset import Dataset, load, load_tokenizer
from areal_lite.dataset.filters import WINDOW, normalised, of_difficulty, uncontaminated, with_gold
from areal_lite.dataset.readers import Row, last_boxed, load_rows
from areal_lite.templates import TEMPLATES, render
from areal_lite.toy.tiny import make_tiny

ROOT = Path(__file__).resolve().parents[1]
REAL = Path(os.environ.get("AREAL_LITE_DATA", ROOT.parent / "shared" / "data"))
real_data = pytest.mark.skipif(not REAL.is_dir(), reason="set AREAL_LITE_DATA to the directory with the real data")
CONVERSATION = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "<1> & 2?"}]
CHATML = """\
{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
{%- endif %}
{%- if tools is not none %}{{- tools | tojson }}{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'system' and loop.first %}{% continue %}{% endif %}
    {%- if message.role == 'tool' %}{{- raise_exception('no tools here') }}{%- endif %}
    {%- if message.role == 'assistant' %}
    {%- generation %}{{ message.content + eos_token }}{% endgeneration %}
    {%- else %}
    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
LLAMA = """\
{{ bos_token }}
{% if messages[0]['role'] == 'system' %}
    {% set system = messages[0]['content'] | trim %}
    {% set messages = messages[1:] %}
{% else %}
{% set system = 'Year ' ~ (strftime_now('%Y') | length) %}
{% endif %}
<|start_header_id|>system<|end_header_id|>

{{ system }}<|eot_id|>
  {% for message in messages %}
<|start_header_id|>{{ message.role }}<|end_header_id|>

{{ message | tojson }}<|eot_id|>
  {% endfor %}
{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}
"""
SIMPLERL = "train_simplerl/simplelr_qwen_level3to5__train.parquet"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(make_tiny(tmp_path_factory.mktemp("model")))


def write(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return str(path)


def made(n=10, **changes):
    fields = {"problem": "", "prompt": "", "answers": ("1",), "where": "here", **changes}
    return [Row(**{**fields, "id": str(i), "problem": fields["problem"] or f"problem {i}"}) for i in range(n)]


# Templates

@real_data
def test_qwen_boxed_rebuilds_every_published_zoo_prompt_but_for_its_doubled_braces():
    import pyarrow.parquet

    records = pyarrow.parquet.read_table(REAL / SIMPLERL).to_pylist()
    published = [record["prompt"][0]["content"] for record in records]
    assert all("\\boxed{{}}" in prompt for prompt in published) and len(published) == 8523
    for record, prompt in zip(records, published, strict=True):
        assert render("qwen-boxed", record["question"]) == prompt.replace("\\boxed{{}}", "\\boxed{}")
    assert [row.prompt for row in load_rows(str(REAL / SIMPLERL))] == [p.replace("{{}}", "{}") for p in published]


@real_data
def test_qwen25_math_cot_rebuilds_every_published_simplerl_input_plus_the_harness_final_newline():
    records = json.loads((REAL / "train_simplerl/math_level3to5_data_processed_with_qwen_prompt.json").read_text())
    assert all(render("qwen25-math-cot", record["question"]) == record["input"] + "\n" for record in records)


def test_templates_are_byte_equal_to_the_published_ones():
    assert render("none", "Q") == "Q"
    assert render("abel", "Q") == "Question:\nQ\nAnswer:\nLet's think step by step.\n"
    assert render("areal-distill", "Q").encode() == (
        b"<\xef\xbd\x9cbegin\xe2\x96\x81of\xe2\x96\x81sentence\xef\xbd\x9c><\xef\xbd\x9cUser\xef\xbd\x9c>Q\n"
        b"Please reason step by step, and put your final answer within \\boxed{}."
        b"<\xef\xbd\x9cAssistant\xef\xbd\x9c><think>\n")
    jinja2 = pytest.importorskip("jinja2")  # Open-Reasoner-Zero publishes its prompt as two nested Jinja templates
    inner = jinja2.Template("""\
You must put your answer inside <answer> </answer> tags, i.e., <answer> answer here </answer>. And your final answer \
will be extracted automatically by the \\boxed{} tag.
This is the problem:
{{prompt}}
""")
    outer = jinja2.Template("""\
{{bos_token}}A conversation between User and Assistant. The User asks a question, and the Assistant solves it. \
The Assistant first thinks about the reasoning process in the mind and then provides the User with the answer. \
The reasoning process is enclosed within <think> </think> and answer is enclosed within <answer> </answer> tags, \
respectively, i.e., <think> reasoning process here </think> <answer> answer here </answer>. User: {{prompt}}
Assistant: <think>\
""")
    assert render("orz", "Q \\frac{1}{2}") == outer.render(bos_token="", prompt=inner.render(prompt="Q \\frac{1}{2}"))


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_leaves_the_problem_as_it_is(name):
    problem = " {x} {{y}} %s \\n {0} <|im_end|> é\n"
    assert problem in render(name, problem)
    with pytest.raises(ValueError, match="template 'orzz' is unknown; choose one of none, areal-distill"):
        render("orzz", problem)


# Readers

@real_data
@pytest.mark.parametrize(("file", "rows", "empty", "first_id", "first_answers", "source", "levels"), [
    ("eval_qwen_harness/aime24", 30, [], "aime24-60", ("204",), "", {0}),
    ("eval_qwen_harness/amc23", 40, [], "amc23-0", ("27",), "", {0}),
    ("eval_qwen_harness/math500", 500, [],
     "test/precalculus/807.json", ("\\left( 3, \\frac{\\pi}{2} \\right)",), "math",
     {1, 2, 3, 4, 5}),
    ("eval_qwen_harness/gsm8k", 1319, [], "gsm8k-0", ("18",), "gsm8k", {0}),
    ("eval_qwen_harness/minerva_math", 272, [], "minerva_math-0", ("1.6",), "", {0}),
    ("eval_qwen_harness/olympiadbench", 675, [], "olympiadbench-1606", ("2",), "", {0}),
    ("eval_qwen_harness/gaokao2023en", 385, [167, 192], "gaokao2023en-0", ("$\\{x|-2\\leq x < 1\\}$",), "", {0}),
    ("eval_qwen_harness/college_math", 2818, [], "college_math-0", ("$10-4 n$",), "", {0}),
    ("deepscaler/train/aime.json", 975, [], "aime-0", ("60",), "", {0}),
    ("deepscaler/train/math.json", 7474, [886, 1009, 5328, 5330], "math-0", ("0",), "math", {0, 1, 2, 3, 4, 5}),
    ("deepscaler/test/amc.json", 83, [], "amc-0", ("142",), "", {0}),
    ("deepscaler/test/minerva.json", 272, [], "minerva-0", ("9.6",), "", {0}),
    ("deepscaler/test/olympiad_bench.json", 675, [], "olympiad_bench-1606", ("2",), "", {0}),
    ("orz/orz_math_57k_collected.head1785.json", 1785, [], "orz_math_57k_collected.head1785-0", ("n = 4",), "", {0}),
    ("orz/eval_data/aime2024.json", 30, [], "aime2024-0", ("73",), "", {0}),
    (SIMPLERL, 8523, [5054, 5158], "simplelr_qwen_level3to5__train-0", ("118",), "math", {3, 4, 5}),
    ("train_simplerl/math_level3to5_data_processed_with_qwen_prompt.json", 8523, [5054, 5158],
     "math_level3to5_data_processed_with_qwen_prompt-0", ("118",), "math", {3, 4, 5}),
    ("train_simplerl/gsm8k_train.jsonl", 7473, [], "gsm8k_train-0", ("72",), "gsm8k", {0}),
    ("train_simplerl/gsm8k_train_7473__verl_format.parquet", 7473, [], "gsm8k_train_7473__verl_format-0", ("72",),
     "gsm8k", {0}),
])
def test_every_real_file_is_recognised_by_its_content(file, rows, empty, first_id, first_answers, source, levels):
    read = load_rows(str(REAL / file))
    assert len(read) == rows
    assert [int(row.where.rpartition(" ")[2]) for row in read if not row.answers] == empty
    assert (read[0].id, read[0].answers, read[0].source) == (first_id, first_answers, source)
    assert {row.level for row in read} == levels
    assert all(row.problem or row.prompt for row in read)


@real_data
def test_the_same_problems_have_the_same_golds_in_both_published_files():
    jsonl = load_rows(str(REAL / "train_simplerl/gsm8k_train.jsonl"))
    parquet = load_rows(str(REAL / "train_simplerl/gsm8k_train_7473__verl_format.parquet"))
    assert [row.answers for row in jsonl] == [row.answers for row in parquet]
    assert not any("," in row.answers[0] for row in jsonl)
    harness = load_rows(str(REAL / "eval_qwen_harness/math500"))
    orz = {row.problem: row.answers for row in load_rows(str(REAL / "orz/eval_data/math500.json"))}
    assert sum(row.answers == orz.get(row.problem) for row in harness) == 500


@pytest.mark.parametrize(("record", "problem", "prompt", "answers"), [
    ({"prompt": "P", "query_id": "q", "task": "math", "solutions": ["\\boxed{3}", "3", "4.0", " "]},
     "", "P", ("3", "4.0")),
    ({"id": "q", "prompt": "1+1?", "answers": ["2"]}, "1+1?", "1+1?", ("2",)),
    ({"prompt": "P", "response": "R"}, "P", "P", ()),
    ({"problem": "P", "answer": 27.0}, "P", "", ("27",)),
    ({"problem": "P", "answer": -0.5}, "P", "", ("-0.5",)),
    ({"problem": "P", "level": "Level 3", "solution": "so \\boxed{\\frac{1}{2}}."}, "P", "", ("\\frac{1}{2}",)),
    ({"question": "P", "answer": "1+1 = <<1+1=2>>2\n#### 1,234"}, "P", "", ("1234",)),
    ({"question": "P", "final_answer": ["$a$", "$b$"]}, "P", "", ("$a$", "$b$")),
    ({"prompt": "P", "answers": ["a", "b"]}, "P", "P", ("a", "b")),
    ({"problem": "P", "answers": ["a", "b"]}, "P", "", ("a", "b")),
    ({"prompt": [{"role": "user", "content": "P"}], "answer": 7}, "P", "P", ("7",)),
    ([{"from": "human", "value": "P"}, {"from": "assistant", "ground_truth": {"value": "5"}}], "P", "", ("5",)),
    ({"prompt": [{"role": "user", "content": "P"}], "reward_model": {"ground_truth": "5"}}, "", "P", ("5",)),
])
def test_a_row_of_each_format(tmp_path, record, problem, prompt, answers):
    (tmp_path / "rows.json").write_text(json.dumps([record]))
    (row,) = load_rows(str(tmp_path / "rows.json"))
    assert (row.problem, row.prompt, row.answers) == (problem, prompt, answers)


@pytest.mark.parametrize("rest", [{"reward_model": {"ground_truth": "5"}}, {"answer": "5"}, {"response": "R"}])
def test_all_messages_of_a_conversation_are_kept(tmp_path, rest):
    (row,) = load_rows(write(tmp_path / "rows.jsonl", {"prompt": CONVERSATION, **rest}))
    assert row.messages == (("system", "Be brief."), ("user", "<1> & 2?")) and (row.problem, row.prompt, row.text) == ("", "", "<1> & 2?")


def test_areals_older_layout_finds_its_golds_in_id2info_beside_it(tmp_path):
    path = write(tmp_path / "prompts.jsonl", {"prompt": "P", "query_id": "a"}, {"prompt": "Q", "query_id": "b"})
    with pytest.raises(ValueError, match=r"looked for .*id2info\.json"):
        load_rows(path)
    (tmp_path / "id2info.json").write_text(json.dumps({"a": {"solutions": ["\\boxed{1}"]}, "b": {"solutions": ["2"]}}))
    assert [(row.id, row.answers) for row in load_rows(str(tmp_path))] == [("a", ("1",)), ("b", ("2",))]
    (tmp_path / "id2info.json").write_text(json.dumps({"a": {"solutions": ["1"]}}))
    with pytest.raises(ValueError, match=r"prompts\.jsonl, row 1: field 'solutions' is missing"):
        load_rows(path)


@pytest.mark.parametrize(("text", "content"), [
    ("\\boxed{1} then \\boxed{\\frac{a}{b}}", "\\frac{a}{b}"),
    ("\\boxed{1} then \\boxed{2", "1"),
    ("no box", ""),
    ("\\boxed{}", ""),
])
def test_the_last_complete_box_is_the_gold(text, content):
    assert last_boxed(text) == content


@pytest.mark.parametrize(("text", "message"), [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
     "is a Git LFS pointer, not the data; run `git lfs"),
    ('{"problem": "p", "answer": "1"}\n{"problem": "q"}', r'row 1 has no "answer" \(or "answers"\); it has \[\'problem\'\]$'),
    ('{"problem": "p", "answer": "1"}\n{"problem":', "line 2 is not JSON"),
    ('{"id": "a", "prompt": "p", "answers": ["1"]}\n' * 2, r"id 'a' occurs twice: .*row 0 and .*row 1; make the ids"),
    ('{"text": "p"}', r"no known format; its first row has \['text'\], looked for areal: query_id, prompt; verl"),
    ('{"prompt": "p", "query_id": "a", "task": "code", "solutions": []}', "row 0: not a row of this format.*only math"),
    ('{"prompt": "p", "response": ""}', "row 0: not a row of this format.*response is empty"),
    ('{"prompt": "p"}', r'row 0 has no "answer" \(or "answers"\); it has \[\'prompt\'\]$'),
    ('{"prompt": [{"role": "user", "content": ["p"]}], "answer": 1}', "row 0: not a row of this format.*neither a text nor a list of mess"),
    ("problem,answer\n1,2\n", "neither parquet, nor a JSON list, nor JSON lines"),
    ("[]", "has no rows"),
    ("\n", "neither parquet"),
])
def test_a_broken_file_is_refused_with_file_and_row(tmp_path, text, message):
    (tmp_path / "rows.jsonl").write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        load_rows(str(tmp_path / "rows.jsonl"))
    assert "rows.jsonl" in str(error.value)


def test_a_path_that_is_nowhere_is_refused(tmp_path):
    for path in ("nowhere/rows.jsonl", str(tmp_path / "none"), "one word"):
        with pytest.raises(ValueError, match="no such file or directory, and not a hub data set"):
            load_rows(path)
    with pytest.raises(ValueError, match=r"no \*\.parquet, \*\.jsonl or \*\.json file"):
        load_rows(str(tmp_path))
    with pytest.raises(ValueError, match="data.format 'csv' is unknown; choose auto or one of areal, verl"):
        load_rows(write(tmp_path / "rows.jsonl", {"problem": "p", "answer": "1"}), "csv")


def test_a_named_format_says_what_its_rows_lack(tmp_path):
    with pytest.raises(ValueError, match=r"row 0: field 'reward_model' is missing; it has \['answer', 'problem'\]"):
        load_rows(write(tmp_path / "rows.jsonl", {"problem": "p", "answer": "1"}), "verl")


def test_unusual_line_ends_inside_json_text_do_not_split_rows(tmp_path):
    rows = [{"problem": "a\u2028b\x0c\x85c", "answer": "1"}, {"problem": "d", "answer": "2"}]
    path = write(tmp_path / "rows.jsonl", *rows)
    Path(path).write_bytes(b"\xef\xbb\xbf" + Path(path).read_bytes() + b"\r\n\r\n")
    assert [row.problem for row in load_rows(path)] == ["a\u2028b\x0c\x85c", "d"]


def test_a_directory_is_read_by_its_best_kind_and_its_training_files(tmp_path):
    write(tmp_path / "set" / "train.jsonl", {"problem": "a", "answer": "1"})
    write(tmp_path / "set" / "test.jsonl", {"problem": "b", "answer": "1"})
    write(tmp_path / "set" / "dataset_infos.json", {"features": []})
    assert [(row.id, row.problem) for row in load_rows(str(tmp_path / "set"))] == [("set-0", "a")]
    other = write(tmp_path / "more.jsonl", {"problem": "c", "answer": "1"})
    assert [row.id for row in load_rows(f"{tmp_path / 'set'}, {other}")] == ["set-0", "more-0"]


def test_a_hub_name_is_read_from_the_hubs_cache_and_its_absence_explained(tmp_path):
    snapshot = tmp_path / "hub" / "datasets--owner--set" / "snapshots" / ("0" * 40)
    write(snapshot / "subset" / "train.jsonl", {"problem": "a", "answer": "1"})
    write(snapshot / "other" / "train.jsonl", {"problem": "b", "answer": "1"})
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("0" * 40)
    code = """
from areal_lite.dataset.readers import load_rows
for path in ("owner/set:subset", "owner/set:other/train.jsonl", "owner/set", "owner/set:none", "owner/missing"):
    try:
        print([row.problem for row in load_rows(path)])
    except ValueError as error:
        print(error)
"""
    env = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=240,
                          check=True)
    lines = done.stdout.splitlines()
    assert lines[:3] == ["['a']", "['b']", "['b', 'a']"]
    assert "has no file or folder 'none'" in lines[3]
    assert lines[4].startswith("data 'owner/missing' is no local path and could not be fetched from the hub")


# Filters

def test_rows_without_a_gold_go_but_a_file_full_of_them_is_an_error():
    rows = made(198) + made(2, answers=())
    assert with_gold(rows) == rows[:198]
    with pytest.raises(ValueError, match="3 of 200 rows have an empty gold answer: here; here; here"):
        with_gold(made(197) + made(3, answers=()))
    assert len(with_gold(made(2, answers=(), response="r"))) == 2


def test_rows_need_no_answer_where_a_function_of_ones_own_rewards(tmp_path, model):
    path = write(tmp_path / "rows.jsonl", {"prompt": "a"}, {"prompt": "b", "answers": []}, {"prompt": "c", "answer": "3"})
    dataset = load(path, model, golds=False)
    assert [dataset.at(n).answers for n in range(3)] == [(), (), ("3",)] and dataset.dropped == {"prompt too long": 0}
    benchmark = write(tmp_path / "benchmark.jsonl", {"problem": "b"})
    assert [row.problem for row in load(path, model, golds=False, decontaminate=[benchmark]).rows] == ["a", "c"]
    (tmp_path / "rows.jsonl").write_text('{"prompt": "b", "answers": []}')
    with pytest.raises(ValueError, match=r"1 of 1 rows have an empty gold answer: .*rows\.jsonl, row 0"):
        load(path, model)


@real_data
@pytest.mark.parametrize(("difficulty", "rows"), [
    ("easy", 7473 + 564), ("medium", 564 + 1345 + 1584 + 1681), ("hard", 1584 + 1681 + 2298)])
def test_difficulty_subsets_are_built_from_raw_gsm8k_and_math(difficulty, rows):
    both = load_rows(f"{REAL / 'train_simplerl/gsm8k_train.jsonl'},{REAL / 'deepscaler/train/math.json'}")
    assert len(of_difficulty(both, difficulty)) == rows


@real_data
def test_the_published_hard_subset_is_hard():
    rows = load_rows(str(REAL / SIMPLERL))
    assert of_difficulty(rows, "hard") == rows
    with pytest.raises(ValueError, match="difficulty=easy keeps none of 8523 rows"):
        of_difficulty(rows, "easy")
    with pytest.raises(ValueError, match="'harder' is unknown; choose one of easy, medium, hard"):
        of_difficulty(rows, "harder")


def test_copies_of_a_benchmark_problem_are_found_however_they_are_set():
    text = ("Let $x$ be a positive real number with $\\frac{1}{2} \\left( x + 1 \\right) = 7$. "
            "Find the value of $x$ in simplest form.")
    benchmark = made(1, problem=text)
    copies = [text, "  " + text.upper(), text.replace("\\frac{1}{2}", "\\dfrac12").replace("\\left(", "("),
              "Solve this. " + text + " Show your work.", text.removesuffix(" in simplest form.")]
    others = [text.replace("7", "8"), text.replace("+", "-"), "Find the value of $x$.", "solve"]
    rows = [made(1, problem=problem)[0] for problem in copies + others]
    assert [row.problem for row in uncontaminated(rows, benchmark)] == others
    finished = made(1, prompt=render("areal-distill", text))[0]
    bare = Row(id="0", problem="", prompt=finished.prompt, answers=(), where="here")
    assert uncontaminated([bare], benchmark) == []
    conversation = Row(id="0", problem="", prompt="", answers=(), where="here", messages=(("system", "s"), ("user", text)))
    assert uncontaminated([conversation], benchmark) == []


@real_data
def test_contamination_agrees_with_comparing_every_pair():
    benchmark = [row for name in ("aime24", "math500")
                 for row in load_rows(str(REAL / "eval_qwen_harness" / name))]
    rows = load_rows(str(REAL / "deepscaler/train/aime.json"))
    texts = [normalised(row.problem) for row in benchmark]

    def same(a, b):
        return a == b or (min(len(a), len(b)) >= 2 * WINDOW and (a in b or b in a))

    pairs = [(row, normalised(row.problem)) for row in rows]
    expected = [row for row, mine in pairs if not any(same(mine, text) for text in texts)]
    assert uncontaminated(rows, benchmark) == expected
    assert len(rows) - len(expected) == 5


# Tokens and order

def test_the_prompt_limit_counts_tokens_and_says_how_many_rows_went(model):
    rows = [made(1, problem=problem)[0] for problem in ("ab", "abc", "é")]  # 2, 3 and 2 tokens of a byte
    dataset = Dataset(rows, model, max_prompt_tokens=2)
    assert [row.problem for row in dataset.rows] == ["ab", "é"] and dataset.dropped == {"prompt too long": 1}
    templated = Dataset(rows, model, template="areal-distill", max_prompt_tokens=2 + 76)
    assert [row.problem for row in templated.rows] == ["ab", "é"]
    with pytest.raises(ValueError, match=r"no row is left, dropped were .*max_prompt_tokens=1"):
        Dataset(rows, model, max_prompt_tokens=1)


def test_a_template_needs_a_bare_problem(model):
    finished = Row(id="a", problem="", prompt="P", answers=("1",), where="file, row 0")
    assert Dataset([finished], model).prompt(0).token_ids.tolist() == load_tokenizer(model)[0].encode("P").ids
    with pytest.raises(ValueError,
                       match="file, row 0 holds a finished prompt, not a bare problem; set data.template=none"):
        Dataset([finished], model, template="orz")


def chatty(model, folder, template="", **settings):
    """A copy of the model's tokenizer whose chat template is this file, or in these settings."""
    folder.mkdir()
    (folder / "tokenizer.json").write_text((Path(model) / "tokenizer.json").read_text("utf-8"), "utf-8")
    config = json.loads((Path(model) / "tokenizer_config.json").read_text("utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, **settings}))
    if template:
        (folder / "chat_template.jinja").write_text(template)
    return str(folder)


@pytest.mark.parametrize("settings", [
    {"chat_template": CHATML},
    {"template": LLAMA, "chat_template": CHATML, "bos_token": {"content": "<|spare_1|>", "__type": "AddedToken"}},
    {"chat_template": [{"name": "rag", "template": CHATML}, {"name": "default", "template": LLAMA}], "bos_token": "<|spare_2|>"},
    {"template": LLAMA},
])
def test_a_chat_templates_token_ids_are_those_transformers_gives(model, tmp_path, settings):
    from transformers import AutoTokenizer

    folder = chatty(model, tmp_path / "model", **settings)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    talk = [CONVERSATION, CONVERSATION[1:], [*CONVERSATION, {"role": "assistant", "content": "é\n"}, {"role": "user", "content": " ? "}]]
    path = write(tmp_path / "rows.jsonl", {"prompt": "bare", "answer": 1}, *({"prompt": messages, "answer": 1} for messages in talk))
    dataset = load(path, folder, template="chat")
    for n, messages in enumerate([[{"role": "user", "content": "bare"}], *talk]):
        expected = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
        assert dataset.at(n).token_ids.tolist() == expected
        assert all(message["content"].strip() in tokenizer.decode(expected).replace("\\n", "") for message in messages)


def test_a_chat_template_makes_this_text_and_an_answer_ends_with_the_end_token(model, tmp_path):
    folder = chatty(model, tmp_path / "model", CHATML)
    path = write(tmp_path / "rows.jsonl", {"prompt": "1+1?", "response": "2"})
    dataset = load(path, folder, template="chat")
    tokenizer, end = load_tokenizer(folder)
    text = "<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n"
    assert dataset.prompt(0).token_ids.tolist() == tokenizer.encode(text).ids
    assert dataset.response(0).tolist() == [*tokenizer.encode("2").ids, end]


def test_what_a_chat_template_cannot_do_is_said_with_the_row_and_the_remedy(model, tmp_path):
    path = write(tmp_path / "rows.jsonl", {"prompt": [{"role": "tool", "content": "P"}], "answer": 1})
    with pytest.raises(ValueError, match=r"row 0: the model's chat template refuses these messages \(tool\): no tools here"):
        load(path, chatty(model, tmp_path / "refusing", CHATML), template="chat")
    with pytest.raises(ValueError, match=r"the chat template of .*broken is not valid Jinja: "):
        load(path, chatty(model, tmp_path / "broken", "{% if %}"), template="chat")
    for folder in (model, chatty(model, tmp_path / "named", chat_template=[{"name": "rag", "template": "t"}])):
        with pytest.raises(ValueError, match=r"data\.template=chat, but .* has no chat template .*: add one there, or name another"):
            load(path, folder, template="chat")
    with pytest.raises(ValueError, match="file, row 0 holds a finished prompt"):
        Dataset([Row(id="a", problem="", prompt="P", answers=("1",), where="file, row 0")], f"{tmp_path / 'refusing'}", template="chat")


@pytest.mark.parametrize("template", ["none", "orz"])
def test_several_messages_are_refused_without_a_chat_template(model, tmp_path, template):
    path = write(tmp_path / "rows.jsonl", {"prompt": CONVERSATION, "reward_model": {"ground_truth": "5"}, "question": "Q"})
    with pytest.raises(ValueError, match=rf"rows\.jsonl, row 0 has 2 messages, which data\.template={template} .*set data\.template=chat"):
        load(path, model, template=template)


@real_data
@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_token_ids_are_those_transformers_gives(model, template):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    dataset = load(str(REAL / "deepscaler/train/math.json"), model, template=template, limit=200)
    for n in range(len(dataset)):
        prompt = dataset.at(n)
        assert prompt.token_ids.dtype == np.int32
        text = render(template, dataset.rows[n].problem)
        assert prompt.token_ids.tolist() == tokenizer(text, add_special_tokens=False).input_ids
        assert tokenizer.decode(prompt.token_ids) == text


def test_every_epoch_is_a_permutation_of_its_own(model):
    dataset = Dataset(made(50), model, seed=3)
    epochs = [[dataset.prompt(n).id for n in range(50 * e, 50 * e + 50)] for e in range(3)]
    assert all(Counter(ids) == Counter(str(i) for i in range(50)) for ids in epochs)
    assert len({tuple(ids) for ids in epochs}) == 3


def test_prompt_n_depends_on_seed_and_n_alone(model):
    rows = made(50)
    one, again, other = (Dataset(rows, model, seed=seed) for seed in (1, 1, 2))
    draws = [137, 0, 49, 50, 3, 99, 137]
    backwards = {n: again.prompt(n).id for n in reversed(draws)}
    assert [one.prompt(n).id for n in draws] == [backwards[n] for n in draws]
    assert [one.index(n) for n in range(50)] != [other.index(n) for n in range(50)]
    assert [one.index(n) for n in range(50, 100)] != [other.index(n) for n in range(50)]
    # numpy.random.RandomState([1, 0]).permutation(50), whose stream numpy keeps for all versions
    assert [one.index(n) for n in range(5)] == [23, 43, 11, 48, 8]


def test_supervised_rows_give_the_response_with_the_end_token(tmp_path, model):
    path = write(tmp_path / "rows.jsonl", {"prompt": "ab", "response": "cd"}, {"prompt": "ef", "response": "ghijk"})
    tokenizer, end = load_tokenizer(model)
    dataset = load(path, model, template="abel", max_response_tokens=4)
    pairs = {dataset.prompt(n).id: (dataset.prompt(n), dataset.response(n)) for n in range(2)}
    assert pairs["rows-0"][0].token_ids.tolist() == tokenizer.encode(render("abel", "ab")).ids
    assert pairs["rows-0"][1].tolist() == [*tokenizer.encode("cd").ids, end]
    assert pairs["rows-1"][1].tolist() == tokenizer.encode("ghij").ids and dataset.cut == 1
    assert load(path, model).response(0).dtype == np.int32 and load(path, model).cut == 0
    with pytest.raises(ValueError, match="here has no response; supervised training needs"):
        Dataset(made(1), model).response(0)


def test_a_limit_keeps_the_first_rows_that_pass_the_filters(tmp_path, model):
    path = write(tmp_path / "rows.jsonl", *({"problem": f"p{i}", "answer": "1", "level": i % 5 + 1} for i in range(20)))
    dataset = load(path, model, difficulty="hard", limit=4)
    assert [row.problem for row in dataset.rows] == ["p2", "p3", "p4", "p7"]


@real_data
def test_loading_counts_everything_it_drops(model):
    dataset = load(str(REAL / SIMPLERL), model, template="qwen-boxed", max_prompt_tokens=1024, difficulty="hard",
                   decontaminate=[str(REAL / "eval_qwen_harness/math500")])
    assert dataset.dropped["empty gold"] == 2 and dataset.dropped["other difficulty"] == 0
    assert len(dataset) == 8523 - sum(dataset.dropped.values())
    assert max(len(dataset.at(n).token_ids) for n in range(len(dataset))) <= 1024


@pytest.mark.parametrize(("missing", "message"), [
    ("tokenizer.json", "has no tokenizer.json"), ("tokenizer_config.json", "has no tokenizer_config.json")])
def test_a_model_without_tokenizer_files_is_refused(model, tmp_path, missing, message):
    for name in {"tokenizer.json", "tokenizer_config.json"} - {missing}:
        (tmp_path / name).write_text((Path(model) / name).read_text("utf-8"), "utf-8")
    with pytest.raises(ValueError, match=message):
        load_tokenizer(str(tmp_path))


def test_nothing_is_added_cut_or_padded_by_what_a_tokenizer_file_sets(model, tmp_path):
    from tokenizers import Tokenizer, processors

    tokenizer = Tokenizer.from_file(f"{model}/tokenizer.json")
    plain = tokenizer.encode("longer than three").ids
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=30)
    tokenizer.post_processor = processors.TemplateProcessing(single="<think> $A", special_tokens=[("<think>", 263)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text((Path(model) / "tokenizer_config.json").read_text("utf-8"), "utf-8")
    assert Dataset(made(1, problem="longer than three"), str(tmp_path)).prompt(0).token_ids.tolist() == plain


def test_an_end_token_that_is_no_token_is_refused(model, tmp_path):
    (tmp_path / "tokenizer.json").write_text((Path(model) / "tokenizer.json").read_text("utf-8"), "utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": {"content": "<end>"}}')
    with pytest.raises(ValueError, match="eos_token .* is not a token"):
        load_tokenizer(str(tmp_path))


def test_importing_the_dataset_room_is_light():
    heavy = "torch, transformers, vllm, sympy, pyarrow, huggingface_hub, pandas, jinja2"
    code = f"import sys, areal_lite.dataset; print(sorted(set('{heavy}'.split(', ')) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT,
                          capture_output=True, text=True, timeout=240, check=True)
    assert done.stdout.strip() == "[]"
