"""On PYTHONPATH of a real chaos run: what happens to a machine and cannot be done to its processes from outside.

Every Python process of the run imports this first. CHAOS_DIR/clock holds seconds by which the wall clock is wrong (as Python's
time.time tells it), CHAOS_DIR/slow the seconds that a rename takes. A generation server finds the master by its own link.
"""
import os
import sys
import time

WHERE = os.environ["CHAOS_DIR"]
true_time, true_replace = time.time, os.replace


def number(name: str) -> float:
    """What CHAOS_DIR/name holds now; 0 without it."""
    try:
        with open(os.path.join(WHERE, name)) as file:
            return float(file.read())
    except (OSError, ValueError):
        return 0.0


def slow_replace(*args, **kw) -> None:
    """os.replace on such a disk."""
    time.sleep(number("slow"))
    true_replace(*args, **kw)


time.time = lambda: true_time() + number("clock")
os.replace = slow_replace
if "areal_lite.generation" in sys.orig_argv:
    index = int(sys.orig_argv[sys.orig_argv.index("--index") + 1])
    os.environ["AREAL_LITE_MASTER"] = os.environ["CHAOS_LINKS"].split(",")[index]
