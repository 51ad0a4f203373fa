"""python -m tests.fake_launch WORDS: the launcher as it is, except that generation servers are tests.fakes' (no vLLM)."""
import dataclasses
import sys

from areal_lite.launch import follow, node, run
from areal_lite.launch.__main__ import main as launch
from areal_lite.launch.placement import place


def faked(stage, cores):
    """The placement, with the fake server's module in place of the real one's."""
    return [dataclasses.replace(p, module=node.SERVER) if p.name.startswith("generation") else p for p in place(stage, cores)]


if __name__ == "__main__":
    node.SERVER = follow.SERVER = "tests.fakes"
    run.place = follow.place = faked
    sys.exit(launch(sys.argv[1:]))
