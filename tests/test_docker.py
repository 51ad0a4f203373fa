"""Dockerfile and compose.yaml without a Docker engine: they parse, and every path, module, version and word in them exists."""
import importlib.util
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from areal_lite.config import load
from areal_lite.launch.nodes import resolve
from areal_lite.launch.placement import place

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
INSTRUCTIONS = [line.split(maxsplit=1) for line in re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text()).splitlines()
                if line.strip() and not line.startswith("#")]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())


def of(word):
    return [rest for name, rest in INSTRUCTIONS if name == word]


def test_every_line_of_the_dockerfile_is_an_instruction_and_the_first_names_a_cuda_image():
    assert {name for name, _ in INSTRUCTIONS} <= {"FROM", "RUN", "ENV", "WORKDIR", "COPY", "ENTRYPOINT", "CMD"}
    assert INSTRUCTIONS[0][0] == "FROM" and re.fullmatch(r"nvidia/cuda:\d+\.\d+\.\d+-devel-ubuntu\d+\.\d+", INSTRUCTIONS[0][1])


def test_everything_that_is_copied_is_there_and_is_all_that_the_package_needs():
    sources = [word for line in of("COPY") for word in shlex.split(line)[:-1]]
    assert sources and all((ROOT / s).exists() for s in sources)
    assert {"areal_lite", "realhf", "configs", "pyproject.toml", PROJECT["readme"]} <= set(sources)
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not set(sources) & set(ignored)


def test_what_pip_installs_is_what_the_project_asks_for():
    installed = dict(re.findall(r"['\" ]([a-z-]+)(?:==|>=)([\d.]+)", " ".join(line for line in of("RUN") if "pip install" in line)))
    asked = "\n".join([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["gpu"], *PROJECT["optional-dependencies"]["flash"]])
    wanted = dict(re.findall(r"^([a-z-]+)(?:==|>=)([\d.]+)", asked, re.MULTILINE))
    assert set(installed) == {"torch", "vllm", "flash-attn"}
    assert all(installed[name].startswith(wanted[name]) for name in installed)
    extras = re.findall(r"\.\[(\w+)\]", " ".join(of("RUN")))
    assert extras == ["gpu"]


def test_it_starts_the_launcher():
    words = json.loads(of("ENTRYPOINT")[0])
    assert words[:2] == ["python", "-m"] and importlib.util.find_spec(words[2]) and importlib.util.find_spec(f"{words[2]}.__main__")


def test_compose_starts_two_nodes_of_one_run_that_share_a_directory_and_no_gpu():
    services = COMPOSE["services"]
    assert len(services) == 2
    for s in services.values():
        assert (ROOT / s["build"] / "Dockerfile").exists() and s["volumes"][0].endswith(":/shared")
        assert s["command"] == COMPOSE["x-node"]["command"]
    gpus = [set(s["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"]) for s in services.values()]
    assert not gpus[0] & gpus[1]


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_compose_service_says_words_that_the_launcher_understands(name):
    service = COMPOSE["services"][name]
    words = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", w) for w in service["command"]]
    stage, = load(resolve(words, service["environment"], 1)).stages
    host = stage.cluster.master.rpartition(":")[0]
    assert stage.cluster.nodes == 2 and COMPOSE["services"][host]["environment"] == {"NODE_RANK": "0"}
    mine = [p for p in place(stage, 8) if p.node == stage.cluster.node_rank]
    devices = service["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"]
    assert sorted(g for p in mine for g in p.gpus) == list(range(len(devices)))
    assert {p.module for p in mine} == ({"areal_lite.master", "areal_lite.trainer"} if host == name else {"areal_lite.generation"})
