"""python -m areal_lite.master STAGE_DIR: the master of one stage. Started by the launcher."""
import argparse
import faulthandler
import signal
import sys
from pathlib import Path

import zmq

from areal_lite.config import read_stage
from areal_lite.master.main import Master
from areal_lite.record import FATAL
from areal_lite.streams import Hub, announce, read_keys


def main() -> None:
    """Bind, announce the address, serve the stage."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.master", description="the master (the launcher starts it)")
    parser.add_argument("stage_dir", type=Path)
    directory = parser.parse_args().stage_dir
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    stage = read_stage(directory)
    host, _, port = stage.cluster.master.rpartition(":")
    address = f"tcp://{host}:{port if port != '0' else '*'}"
    try:
        hub = Hub(address, read_keys(directory / "keys"))
    except zmq.ZMQError as error:
        print(f"cannot listen at {address}: {error}. Free the port or give another: cluster.master=HOST:PORT", file=sys.stderr)
        sys.exit(FATAL)
    master = Master(stage, directory, hub)
    announce(directory, hub.address)
    try:
        master.run()
    finally:
        hub.close()


if __name__ == "__main__":
    main()
