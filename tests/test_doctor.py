"""The doctor: every illness is named with its remedy, and a healthy pair of nodes finds each other."""
import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from areal_lite import doctor
from areal_lite.doctor import Asked, Finding, main

ROOT = Path(__file__).parents[1]


def smi(directory, body, monkeypatch):
    """A fake nvidia-smi, alone on PATH with the shell's own tools."""
    file = directory / "nvidia-smi"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


@pytest.mark.parametrize(("body", "ok", "said"), [
    ("echo 'NVIDIA H100 80GB HBM3, 580.65, 81559, 4'; echo 'NVIDIA H100 80GB HBM3, 580.65, 81559, 4'", [True],
     "2 x NVIDIA H100 80GB HBM3, 80 GiB, driver 580.65"),
    ("echo 'NVIDIA H100, 580.65, 81559, 40000'", [True, False], "GPU 0: 39.1 GiB are in use already"),
    ("echo 'Failed to initialize NVML' >&2; exit 9", [False], "nvidia-smi fails: Failed to initialize NVML"),
])
def test_gpus_are_counted_and_a_broken_driver_or_a_busy_gpu_is_named(tmp_path, monkeypatch, body, ok, said):
    smi(tmp_path, body, monkeypatch)
    found = doctor.gpus()
    assert [f.ok for f in found] == ok and said in found[-1].what and all(f.ok or f.remedy for f in found)


def test_no_driver_at_all_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.gpus() == [Finding(False, "GPUs: no nvidia-smi",
                                     "install the NVIDIA driver, or docker run --gpus all; for a CPU run say device=cpu")]


def test_a_healthy_cpu_node_is_ready(tmp_path, capsys):
    assert main(["device=cpu", f"run_dir={tmp_path / 'shared'}"]) == 0
    said = capsys.readouterr().out
    for word in ("torch 2.13", "vLLM 0.32", "/dev/shm", "is writable", "clock: +0.0", "this node is ready"):
        assert word in said, said


def test_a_cpu_build_of_torch_is_wrong_on_a_gpu_node():
    torch, vllm, flash = doctor.packages("cuda")
    assert torch.ok == ("+cpu" not in torch.what) and vllm.ok and flash.ok == bool(doctor.version("flash-attn"))


def test_a_torchvision_of_another_build_than_a_cpu_torch_is_wrong(tmp_path, monkeypatch):
    for name in ("torch-2.13.0+cpu", "torchvision-0.28.0", "torchaudio-2.13.0+cpu"):
        (tmp_path / f"{name}.dist-info").mkdir()
        (tmp_path / f"{name}.dist-info" / "METADATA").write_text("Name: {}\nVersion: {}\n".format(*name.split("-")))
    monkeypatch.syspath_prepend(tmp_path)
    assert [f.remedy for f in doctor.packages("cpu") if not f.ok and "torchvision" in f.what] == [
        "pip uninstall -y torchvision; nothing here needs it"]


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    found = doctor.Shared(Asked(run_dir=str(tmp_path / "file"))).write()
    assert [f.ok for f in found] == [False] and "cannot be written" in found[0].what


def test_a_clock_that_is_off_is_measured_against_the_directory(tmp_path, monkeypatch):
    class Ahead:
        time = staticmethod(lambda real=doctor.time.time: real() + 90)
    monkeypatch.setattr(doctor, "time", Ahead)
    clock = doctor.Shared(Asked(run_dir=str(tmp_path))).write()[-1]
    assert not clock.ok and "clock: -90.0" in clock.what and "chronyc" in clock.remedy


def test_two_nodes_wait_for_each_other_and_one_alone_says_so(tmp_path):
    asked = Asked(run_dir=str(tmp_path), nodes=2, device="cpu", wait_s=0.5)
    first = doctor.Shared(asked)
    first.write()
    assert [f.ok for f in first.wait()] == [False]
    second = doctor.Shared(asked)
    second.name = "another-node.json"
    threading.Thread(target=second.write).start()
    assert [str(f) for f in first.wait()] == [f"ok     2 of 2 nodes see {tmp_path}"]


def test_ports_of_node_0_are_free_taken_or_unreachable():
    def found(master, **kw):
        with contextlib.ExitStack() as stack:
            return doctor.ports(Asked(master=master, **kw), stack)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "Address already in use" in found(f"127.0.0.1:{port}")[0].what
        assert doctor._connect("127.0.0.1", port, Asked(master="x:1"), None).ok
    assert found(f"127.0.0.1:{port}")[0] == Finding(True, f"port {port} of 127.0.0.1 is free (this is node 0)")
    silent = doctor._connect("127.0.0.1", port, Asked(master=f"x:{port}", nodes=2, wait_s=0.3), None)
    assert not silent.ok and "Connection refused" in silent.what and "firewall" in silent.remedy
    assert "not HOST:PORT" in found("head")[0].what and "has no address" in found("no.such.host.invalid:1")[0].what


def test_it_stays_light_and_refuses_unknown_words(capsys):
    code = "import sys, areal_lite.doctor; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=os.environ).stdout
    assert not {"torch", "vllm", "transformers"} & set(loaded.split())
    assert main(["runs=x"]) == 2 and "run_dir" in capsys.readouterr().err
