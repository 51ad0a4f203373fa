"""launch --slurm: the script it writes, what sbatch is given, and that srun's tasks find their places in it."""
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from areal_lite.launch.__main__ import main
from areal_lite.toy.tiny import make_tiny

ROOT = Path(__file__).parents[1]


@pytest.fixture
def words(tmp_path):
    make_tiny(tmp_path / "model")
    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": "1", "prompt": "x?", "answers": ["1"]}) + "\n")
    return ["exp=distill-1.5b-stage1", "tiny=true", "make=", f"model.path={tmp_path / 'model'}", f"data.path={tmp_path / 'rows.jsonl'}",
            "data.template=none", f"run_dir={tmp_path / 'shared' / 'run'}", "nodes=2", "cluster.gpus_per_node=1", "name=it is"]


def command(directory, name, body):
    """A fake program on PATH."""
    directory.mkdir(exist_ok=True)
    file = directory / name
    file.write_text(f"#!/bin/bash\n{body}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def test_the_script_is_submitted_and_its_srun_starts_the_same_words_on_every_node(words, tmp_path, monkeypatch, capsys):
    fakes, told = tmp_path / "bin", tmp_path / "told"
    command(fakes, "sbatch", f'cp "$1" {told}.sh; echo Submitted batch job 17')
    # srun runs its command once per node, as SLURM would; python only prints what the launcher is given and finds out
    command(fakes, "srun", 'while [[ "$1" == --* ]]; do shift; done; for k in 0 1; do SLURM_NODEID=$k "$@" --print-config >/dev/null; '
                           f'echo "$SLURM_RESTART_COUNT $@" >> {told}; done')
    monkeypatch.setenv("PATH", f"{fakes}:{os.environ['PATH']}")
    monkeypatch.chdir(ROOT)
    assert main([*words, "--slurm"]) == 0
    assert "Submitted batch job 17" in capsys.readouterr().out
    script = Path(f"{told}.sh").read_text()
    for line in ("#SBATCH --nodes=2", "#SBATCH --ntasks-per-node=1", "#SBATCH --job-name=it is"):
        assert line in script.splitlines()
    assert "gpus-per-node" not in script                      # a CPU run
    subprocess.run(["bash", f"{told}.sh"], check=True, env={**os.environ, "SLURM_NNODES": "2", "SLURM_RESTART_COUNT": "0"})
    lines = told.read_text().splitlines()
    assert len(lines) == 2 and lines[0] == lines[1]
    assert lines[0].startswith(f"0 {sys.executable} -m areal_lite.launch exp=distill-1.5b-stage1 tiny=true")
    assert lines[0].endswith(f"run_dir={tmp_path / 'shared' / 'run'} nodes=2 recover=") and "node_rank" not in lines[0]


def test_a_requeued_job_resumes(words, tmp_path, monkeypatch):
    fakes, told = tmp_path / "bin", tmp_path / "told"
    command(fakes, "sbatch", f'cp "$1" {told}.sh')
    command(fakes, "srun", f'echo "$@" > {told}')
    monkeypatch.setenv("PATH", f"{fakes}:{os.environ['PATH']}")
    assert main([*words, "--slurm"]) == 0
    (tmp_path / "shared" / "run").mkdir()
    (tmp_path / "shared" / "run" / "config.yaml").touch()
    subprocess.run(["bash", f"{told}.sh"], check=True, env={**os.environ, "SLURM_RESTART_COUNT": "1"})
    assert told.read_text().endswith("recover=auto\n")


def test_check_prints_the_script_and_submits_nothing(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([*words, "--slurm", "--check"]) == 0
    assert "#SBATCH --nodes=2" in capsys.readouterr().out and not (tmp_path / "shared").exists()


def test_no_sbatch_and_a_refusing_one_are_named(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert main([*words, "--slurm"]) == 2 and "there is no sbatch here" in capsys.readouterr().err
    command(tmp_path / "bin", "sbatch", "echo 'Invalid account' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert main([*words, "--slurm"]) == 2 and "Invalid account" in capsys.readouterr().err
