"""Where the master listens: written by the master, read by everyone else, with a clock."""
import json
import os
import time
from pathlib import Path

from areal_lite.streams.keys import Keys, read_keys

ENVIRONMENT = "AREAL_LITE_MASTER"
"""host:port; for nodes that do not see the stage directory."""


def announce(stage_dir: str | os.PathLike, address: str) -> None:
    """Write STAGE_DIR/endpoint.json at once and whole."""
    file = Path(stage_dir) / "endpoint.json"
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps({"address": address}))
    os.replace(partial, file)


def find(stage_dir: str | os.PathLike, timeout_s: float = 120.0) -> tuple[str, Keys]:
    """(address of the master, keys). TimeoutError naming the file when no master announced itself in time."""
    if given := os.environ.get(ENVIRONMENT):
        return f"tcp://{given}", read_keys(Path(stage_dir) / "keys")
    file, end = Path(stage_dir) / "endpoint.json", time.monotonic() + timeout_s
    while not file.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{file} did not appear in {timeout_s:.0f} s: the master has not started; see logs/master.log")
        time.sleep(0.05)
    return json.loads(file.read_text())["address"], read_keys(Path(stage_dir) / "keys")
