"""The same launcher under SLURM: a batch script that starts it once per node, where the allocation says the rest.

The script is a pure function of the experiment and the words; submitting it waits for sbatch, at most a minute.
"""
import shlex
import subprocess
import sys
from pathlib import Path

from areal_lite.config import ConfigError, Experiment

SUBMIT_S = 60.0


def script(experiment: Experiment, words: list[str]) -> str:
    """The sbatch script. words: what the user said, without launcher=; further #SBATCH lines come from SBATCH_*
    environment variables, as sbatch itself reads them (SBATCH_PARTITION, SBATCH_ACCOUNT, SBATCH_TIMELIMIT)."""
    cluster, run_dir = experiment.stages[0].cluster, Path(experiment.run_dir).absolute()
    gpus = f"#SBATCH --gpus-per-node={cluster.gpus_per_node}\n" if cluster.device == "cuda" else ""
    place = ("cluster.nodes", "cluster.node_rank", "cluster.master", "run_dir", "recover")
    words = [w for w in words if w.partition("=")[0] not in place]
    command = shlex.join([sys.executable, "-m", "areal_lite.launch", *words, f"run_dir={run_dir}", f"nodes={cluster.nodes}"])
    return f"""#!/bin/bash
#SBATCH --job-name={experiment.name}
#SBATCH --nodes={cluster.nodes}
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
{gpus}#SBATCH --output={run_dir}-slurm-%j.log
#SBATCH --open-mode=append
#SBATCH --requeue
# One launcher per node; each finds its rank and node 0 in SLURM_NODEID and SLURM_JOB_NODELIST.
# A job that SLURM puts back into the queue goes on from its last checkpoint.
cd {shlex.quote(str(Path.cwd()))}
recover={shlex.quote(experiment.recover)}
if [ -e {shlex.quote(str(run_dir / "config.yaml"))} ] && [ "${{SLURM_RESTART_COUNT:-0}}" -gt 0 ]; then recover=auto; fi
exec srun --kill-on-bad-exit=1 --label {command} recover="$recover"
"""


def submit(experiment: Experiment, words: list[str]) -> str:
    """Write the script beside the run directory and give it to sbatch; returns what sbatch says. ConfigError if it refuses."""
    file = Path(f"{Path(experiment.run_dir).absolute()}-slurm.sh")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(script(experiment, words))
    try:
        done = subprocess.run(["sbatch", str(file)], capture_output=True, text=True, timeout=SUBMIT_S)
    except FileNotFoundError:
        raise ConfigError(f"there is no sbatch here: run this on a login node of the cluster. The script is {file}") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"sbatch did not answer within {SUBMIT_S:g} s; the script is {file}") from None
    if done.returncode:
        raise ConfigError(f"sbatch refuses {file}: {(done.stderr or done.stdout).strip()}")
    return f"{done.stdout.strip()} ({file})"
