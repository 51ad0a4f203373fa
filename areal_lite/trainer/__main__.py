"""python -m areal_lite.trainer STAGE_DIR --rank R --store HOST:PORT: one rank of the trainer. Started by the launcher.

Reads STAGE_DIR/config.yaml and nothing else; ends with the group: any rank's death ends all, and the launcher
restarts the whole group with a new port, unless the rank says that this would not help (record.FATAL).
"""
import argparse
import faulthandler
import os
import signal
import sys
from pathlib import Path

from areal_lite.record import FATAL


def main() -> None:
    """Join the process group, then serve the master (kind rl) or train on rows (kind sft)."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.trainer", description="one trainer rank")
    parser.add_argument("stage_dir", type=Path)
    parser.add_argument("--rank", type=int, required=True)
    parser.add_argument("--store", required=True, help="host:port where rank 0 listens for the others")
    arguments = parser.parse_args()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    if cpus := os.environ.get("AREAL_LITE_CPUS"):
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})
    from areal_lite.config import read_stage
    from realhf import distributed
    from realhf.allocation import parse
    stage = read_stage(arguments.stage_dir)
    layout = parse(stage.cluster.allocation).training
    host, port = arguments.store.rsplit(":", 1)
    device = distributed.initialise(arguments.rank, layout.world_size, host, int(port),
                                    timeout_s=stage.trainer.init_timeout_s, threads=stage.trainer.threads)
    if stage.cluster.device == "cuda" and device.type != "cuda":
        print(f"trainer rank {arguments.rank} cannot start: cluster.device is cuda, but torch finds no GPU here; "
              "see nvidia-smi and the build of torch, or say cluster.device=cpu", file=sys.stderr)
        sys.exit(FATAL)
    if stage.kind == "sft":
        from areal_lite.trainer.sft import train
        try:
            train(stage, arguments.stage_dir, layout, arguments.rank, device)
        except ValueError as error:                # as below
            print(f"trainer rank {arguments.rank} cannot go on: {error}", file=sys.stderr)
            sys.exit(FATAL)
    else:
        from areal_lite.streams import Spoke, find
        from areal_lite.trainer.worker import Worker
        try:
            worker = Worker(stage, arguments.stage_dir, layout, arguments.rank, device)
        except ValueError as error:                # the model, the settings or all checkpoints: it would end so every time
            print(f"trainer rank {arguments.rank} cannot start: {error}", file=sys.stderr)
            sys.exit(FATAL)
        address, keys = find(arguments.stage_dir)
        spoke = Spoke(address, f"trainer-{arguments.rank}", keys, silence_s=stage.cluster.hang_s)
        worker.run(spoke, os.getpid())
        spoke.close()
    distributed.leave()


if __name__ == "__main__":
    main()
