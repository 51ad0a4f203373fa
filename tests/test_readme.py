"""The README tells the truth: its paths exist, its commands parse, and every room is in its tree."""
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from areal_lite import record
from areal_lite.config import load, names, read_experiment

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
TREE = re.search(r"## The tree\n+```\n(.*?)```", TEXT, re.DOTALL).group(1)
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "blog").glob("*.md")), ROOT / "configs" / "README.md"]
COMMANDS = sorted(set(re.findall(r"^ +(python -m .*?)(?: {2,}.*| +#.*)?$", TEXT, re.MULTILINE)))


def listed():
    """Paths of the tree: areal_lite/types.py, realhf, ..."""
    for line in TREE.splitlines():
        for name in re.findall(r"(?:^\s{0,2}|  )([a-z_]+(?:/|\.py))", line):
            yield Path("areal_lite" if line.startswith("  ") else "") / name


def test_the_tree_lists_what_is_there_and_nothing_else():
    told = {str(p) for p in listed()}
    for path in told:
        assert (ROOT / path).exists(), path
    rooms = {f"areal_lite/{p.name}" for p in (ROOT / "areal_lite").iterdir()
             if (p.is_dir() and (p / "__init__.py").exists()) or p.suffix == ".py"} - {"areal_lite/__init__.py"}
    assert rooms <= told, f"not in the tree: {rooms - told}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_picture_and_path_of_a_page_exists(page):
    text = page.read_text()
    for target, heading in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        if not target.startswith("http"):
            file = page.parent / target if target else page
            assert file.exists(), target
            assert not heading or re.search(rf"^#+ {heading.replace('-', '.')}$", file.read_text(), re.MULTILINE | re.IGNORECASE), heading
    for path in re.findall(r"`((?:areal_lite|realhf|tests|configs|benchmarks)/[a-z0-9_./-]+[a-z/])`", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_a_module_and_experiment_that_exist(command):
    _, _, module, *words = shlex.split(command.replace("[", "").replace("]", ""))
    path = ROOT / module.replace(".", "/")
    assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
    for word in words:
        if word.startswith("exp=") and word != "exp=NAME":
            assert word[4:] in names()
    if module == "areal_lite.launch" and "exp=NAME" not in words:
        load([w for w in words if "=" in w])


def test_the_numbers_of_lines_to_read_are_those_of_the_code():
    def lines(rooms):
        files = [f for r in rooms.split() for f in ([ROOT / f"{r}.py"] if (ROOT / f"{r}.py").exists() else (ROOT / r).rglob("*.py"))]
        return sum(f.read_text().count("\n") for f in files)
    told = re.search(r"is ([\d,]+) lines, the engine `realhf` under it ([\d,]+)\. Launching is ([\d,]+), the verifier ([\d,]+)", TEXT)
    loop = " ".join(f"areal_lite/{r}" for r in "types streams master generation trainer algorithms weights direct".split())
    for number, rooms in zip(told.groups(), (loop, "realhf", "areal_lite/launch", "areal_lite/rewards"), strict=True):
        assert abs(int(number.replace(",", "")) - lines(rooms)) <= 100, rooms


def test_the_example_of_an_own_task_is_a_whole_experiment(tmp_path):
    (tmp_path / "mine.yaml").write_text(re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL).group(1))
    (stage,) = load([f"exp={tmp_path / 'mine.yaml'}"]).stages
    assert (stage.reward.function, stage.cluster.allocation, stage.until.steps) == ("reward.py:score", "vllm.d4+d4", 200)


@pytest.mark.parametrize("run", sorted((ROOT / "blog" / "runs").glob("quickstart-*")), ids=lambda p: p.name)
def test_the_runs_behind_the_figures_can_be_read_by_the_code_beside_them(run):
    stages = read_experiment(run).stages
    assert [len(list(record.read(run / s.name / "metrics.jsonl"))) for s in stages if s.kind == "rl"] == [18, 20, 20]


def test_every_recipe_of_the_table_exists_and_every_shipped_experiment_is_in_it():
    table = TEXT[TEXT.index("## Recipes"):TEXT.index("## Commands")]
    told = set()
    for name in re.findall(r"`([a-z0-9.*{},-]+)`", table):
        base, _, choice = name.partition("{")
        for option in choice.rstrip("}").split(",") if choice else [""]:
            matching = [n for n in names() if re.fullmatch((base + option).replace(".", r"\.").replace("*", ".*"), n)]
            told |= set(matching)
    assert set(names()) - {"quickstart"} <= told


TAUGHT = sorted({c.split()[2] for c in COMMANDS} | {f"benchmarks.{p.stem}" for p in (ROOT / "benchmarks").glob("*.py")
                                                    if "ArgumentParser(" in p.read_text()})


@pytest.mark.parametrize("module", TAUGHT)
def test_help_teaches_by_an_example_and_says_something_of_every_option(module):
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, "COLUMNS": "140"})
    assert done.returncode == 0, done.stderr
    assert re.search(rf"python -m {module}\b", re.sub(r"^usage:.*?\n\n", "", done.stdout, flags=re.DOTALL)), "an example"
    silent = re.findall(r"^  (?:-.*|key=value|RUN|RESULTS)$(?!\n {8})", done.stdout, re.MULTILINE)
    assert not [line for line in silent if not re.search(r"\S {2,}\S", line.strip())], "say what they mean"
