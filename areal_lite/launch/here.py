"""What only this machine can say before a start: its GPUs, and whether the user's reward function returns a number.

Waits for the verifier's worker that calls the function, under its clock, and kills it; nothing else is started.
"""
import os
from collections.abc import Sequence
from pathlib import Path

from areal_lite.config import Experiment
from areal_lite.config.schema import Reward
from areal_lite.launch import placement
from areal_lite.launch.supervise import named_gpus
from areal_lite.rewards.process import Child, StartError


def gpus(experiment: Experiment, cores: int) -> tuple[int, int]:
    """(how many this node has, how many it needs), without torch; (0, 0) for an allocation that preflight refuses."""
    try:
        plans = [(s.cluster.node_rank, placement.place(s, cores)) for s in experiment.stages]
    except ValueError:
        return 0, 0
    needed = max(len({g for p in plan if p.node == rank for g in p.gpus}) for rank, plan in plans)
    if named := named_gpus(os.environ.get("CUDA_VISIBLE_DEVICES", "")):
        return sum(not name.startswith("-") for name in named), needed
    return max(len(list(Path("/proc/driver/nvidia/gpus").glob("*"))), len(list(Path("/dev").glob("nvidia[0-9]*")))), needed


def call_function(reward: Reward, answers: Sequence[str]) -> None:
    """Call reward.function on an empty response and the golds of the first row. ValueError says how it failed."""
    worker = Child("areal_lite.rewards.worker", {k: getattr(reward, k) for k in ("memory_mb", "protocol", "function")})
    try:
        worker.wait_ready()
        reply = worker.exchange({"response": "", "answers": list(answers), "finish": "stop"}, reward.timeout_s)
        why = reply.get("crash") or (reply["reason"] if reply["outcome"] == "crash" else "")
    except StartError as error:
        raise ValueError(str(error)) from error
    except TimeoutError:
        why = f"no score within {reward.timeout_s:g} s (reward.timeout_s)"
    except ConnectionError as error:
        why = str(error)
    finally:
        worker.kill()
    if why:
        raise ValueError(f"reward.function={reward.function} fails on the first row: {why}; "
                         "it is called as score(response, answers, finish) and returns a number")
