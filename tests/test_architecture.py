"""The house rules as a test: who may import whom, how big a room may be, what stays light, what is never written."""
import ast
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
FILES = [p for package in ("areal_lite", "realhf") for p in sorted((ROOT / package).rglob("*.py"))]
LIGHT = {"types", "config", "streams", "dataset", "weights", "record", "templates"}
MAY_IMPORT = {                                 # room: rooms of this repository it may import besides itself
    "types": set(), "weights": set(), "algorithms": set(), "rewards": set(), "record": set(), "templates": set(), "toy": set(),
    "direct": {"weights"},
    "config": {"realhf.config", "realhf.allocation"},
    "streams": {"types"},
    "dataset": {"types", "templates"},
    "master": LIGHT | {"realhf.allocation", "realhf.balance"},
    "generation": {"types", "config", "streams", "rewards", "weights", "direct", "record", "realhf.allocation"},
    "trainer": LIGHT | {"direct", "algorithms", "realhf"},
    "evaluation": LIGHT | {"rewards", "launch", "realhf.allocation"},
    "evaluate": {"evaluation", "config"},
    "launch": LIGHT | {"rewards", "realhf.allocation"},
    "report": LIGHT,
    "view": LIGHT | {"evaluation"},
    "status": LIGHT | {"master"},
    "replay": LIGHT | {"algorithms", "rewards", "trainer"},
    "plan": LIGHT | {"master", "realhf.allocation"},
    "doctor": LIGHT,
}
HEAVY = {"torch", "vllm", "transformers", "flash_attn", "sympy", "math_verify", "latex2sympy2_extended", "matplotlib", "gradio"}
MAY_BE_HEAVY = {
    "algorithms": {"torch"}, "direct": {"torch"}, "trainer": {"torch"}, "replay": {"torch"},
    "realhf": {"torch", "transformers", "flash_attn"},
    "generation": {"vllm", "torch"}, "rewards": {"sympy", "math_verify", "latex2sympy2_extended"},
    "toy": {"torch", "transformers"}, "report": {"matplotlib"}, "evaluation": {"matplotlib"}, "view": {"gradio"},
    "plan": {"matplotlib"},
}


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module):
    top, *rest = module.split(".")
    return rest[0] if top == "areal_lite" and rest else top


def imports(path):
    """Every module a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: absolute imports only"
            whole = node.module in ("areal_lite", "realhf")
            yield from (f"{node.module}.{a.name}" for a in node.names) if whole else (node.module,)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_what_it_may(path):
    here = room_of(module_of(path))
    if module_of(path) == "areal_lite":
        assert not list(imports(path)), "areal_lite/__init__.py is a docstring"
        return
    for name in imports(path):
        top = name.split(".")[0]
        if top in ("areal_lite", "realhf"):
            room = room_of(name)
            allowed = room == here or room in MAY_IMPORT.get(here, ()) or any(name.startswith(r) for r in MAY_IMPORT.get(here, ()))
            assert allowed, f"{here} must not import {name}"
        elif top in HEAVY:
            assert top in MAY_BE_HEAVY.get(here, ()), f"{here} must not import {top}"


def test_only_one_file_drives_vllm_and_only_its_worker_extension_knows_its_inside():
    users = {str(p.relative_to(ROOT)) for p in FILES if any(m.split(".")[0] == "vllm" for m in imports(p))}
    assert users <= {"areal_lite/generation/engine.py", "areal_lite/generation/worker_extension.py"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_fits_in_the_head(path):
    text = path.read_text()
    assert text.count("\n") <= 310, "split it by what flows, or take something out"
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "the first line says what this file consumes and waits for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 62, f"{node.name} is too long"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_pickle_eval_or_shell_anywhere(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {a.name for a in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "cloudpickle", "dill", "marshal", "shelve"}, path
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec"), path
        if isinstance(node, ast.keyword) and node.arg == "shell":
            assert not getattr(node.value, "value", True), path


@pytest.mark.parametrize("module", ["areal_lite.master.__main__", "areal_lite.launch.__main__", "areal_lite.launch.run",
                                    "areal_lite.launch.preflight", "areal_lite.status"])
def test_the_light_rooms_stay_light(module):
    if not (ROOT / (module.replace(".", "/") + ".py")).exists():
        pytest.skip(f"{module} does not exist yet")
    loaded = subprocess.run([sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
                            capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert not HEAVY & set(loaded)


TOOLS = {"report", "view", "status", "replay", "plan", "evaluate", "evaluation", "doctor"}
"""Rooms that only read a run directory or a model; a reader of the training system may leave them out, the printer of the
configuration reference and the engine's bench."""


@pytest.mark.parametrize(("part", "budget"), [("core", 8_620), ("rewards", 3_200), ("tools", 4_200)])
def test_the_core_can_be_read_in_an_evening(part, budget):
    lines = dict.fromkeys(("core", "rewards", "tools", "toy"), 0)
    for path in FILES:
        room = room_of(module_of(path))
        tool = room in TOOLS or path.name in ("reference.py", "bench.py")
        lines["tools" if tool else room if room in lines else "core"] += path.read_text().count("\n")
    assert lines[part] <= budget, lines


def test_the_product_never_mentions_where_it_was_built():
    told = re.compile(r"/(work|farm|root|opt)/|/tmp/w/")
    for path in [*FILES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "configs").glob("*"))]:
        assert path.name == "test_architecture.py" or not told.search(path.read_text()), path
