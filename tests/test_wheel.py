"""The wheel holds the whole program and nothing else, and runs where there is no checkout."""
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from areal_lite.config import load, names, to_yaml

ROOT = Path(__file__).parents[1]
PARTS = ("areal_lite", "realhf", "configs")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built without a network, from a copy: setuptools leaves a build/ behind and would pack what an older one holds."""
    pytest.importorskip("setuptools", minversion="77", reason="building a wheel needs setuptools 77 in this environment")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for part in PARTS:
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", out, source],
                   check=True, timeout=120)
    return next(out.glob("areal_lite-*.whl"))


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    where = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(where)
    return where


def test_the_wheel_holds_every_module_the_configs_and_the_type_markers_and_nothing_else(unpacked):
    packed = {p.relative_to(unpacked) for p in unpacked.rglob("*") if p.is_file() and ".dist-info" not in str(p)}
    modules = {p.relative_to(ROOT) for part in PARTS[:2] for p in (ROOT / part).rglob("*.py")}
    configs = {Path("areal_lite/configs", p.name) for p in (ROOT / "configs").glob("*.yaml")}
    assert packed == modules | configs | {Path("areal_lite/py.typed"), Path("realhf/py.typed")}


def test_an_unpacked_wheel_knows_the_shipped_experiments_in_an_empty_directory(unpacked, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}

    def run(*words):
        return subprocess.run([sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)

    done = run("-m", "areal_lite.launch", "exp=quickstart", "--print-config")
    assert done.stdout == to_yaml(load(["exp=quickstart"])), done.stderr
    done = run("-c", "from areal_lite.config import load, names; print(load.__code__.co_filename, *names())")
    assert done.stdout.split() == [str(unpacked / "areal_lite" / "config" / "load.py"), *names()], done.stderr
