"""python -m areal_lite.master STAGE_DIR: the master of one stage. Started by the launcher."""
import argparse
import faulthandler
import signal
import socket
import sys
from pathlib import Path

import zmq

from areal_lite.config import Stage, read_stage
from areal_lite.master.main import Master
from areal_lite.record import FATAL
from areal_lite.streams import Hub, Keys, announce, read_keys


def main() -> None:
    """Bind, announce the address, serve the stage."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.master", description="the master (the launcher starts it)")
    parser.add_argument("stage_dir", type=Path)
    parser.add_argument("--port", type=int, default=0, help="where the master before this one listened, if any port will do")
    options = parser.parse_args()
    directory = options.stage_dir
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    stage = read_stage(directory)
    hub = listen(stage, read_keys(directory / "keys"), options.port)
    master = Master(stage, directory, hub)
    announce(directory, hub.address if stage.cluster.nodes == 1 else f"tcp://{stage.cluster.master}")
    try:
        master.run()
    finally:
        hub.close()


def listen(stage: Stage, keys: Keys, before: int) -> Hub:
    """Bind cluster.master, or for port 0 the port `before` if it is free (servers that live on look for it there), or any."""
    host, _, port = stage.cluster.master.rpartition(":")
    ports = [port] if port != "0" else [*([before] if before else []), "*"]
    for choice in ports:
        try:
            return Hub(f"tcp://{socket.gethostbyname(host)}:{choice}", keys)
        except (zmq.ZMQError, OSError) as error:
            why = error
    print(f"cannot listen at {stage.cluster.master}: {why}. Free the port or give another: cluster.master=HOST:PORT", file=sys.stderr)
    sys.exit(FATAL)


if __name__ == "__main__":
    main()
