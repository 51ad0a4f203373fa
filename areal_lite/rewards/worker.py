"""One verifier process: grades an item per frame until its socket closes or its parent dies.

Started by pool.py. A user's function that raises is that item's verdict, and the process goes on; out of memory, or an
error of the grader itself, is reported as {"crash": reason} and ends it, because its state is no longer known.
"""

import importlib.util
import math as floats
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from areal_lite.rewards.process import enter, limit_memory, receive, send


def _load_function(spec: str) -> Callable[[str, list[str], str], float]:
    """The user's reward function named by `path/file.py:name`. Raises ValueError when it is not there, ImportError etc. of its file."""
    path, _, name = spec.rpartition(":")
    if not path or not Path(path).is_file():
        raise ValueError("no such file; write path/file.py:name")
    module_spec = importlib.util.spec_from_file_location("reward_function", path)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise ValueError(f"{path} has no function {name!r}")
    return function


def _scored(verdict: dict, function: Callable, item: dict) -> dict:
    """The verdict with the function's score, or the crash that it is. MemoryError is passed on."""
    try:
        score = function(item["response"], item["answers"], item["finish"])
        if score is None or isinstance(score, str | bytes):
            raise TypeError(f"it returned {score!r:.50}")
        if not floats.isfinite(score := float(score)):
            raise ValueError(f"it returned {score}")
    except MemoryError:
        raise
    except Exception as error:  # the user's function may fail in any way
        return {"correct": False, "outcome": "crash", "reason": f"{type(error).__name__}: {error}"[:200]}
    return {**verdict, "score": score}


def main() -> None:
    """Send {"ready"} or {"error"}, then a verdict per frame; ends after a crash, or when the parent closes the socket."""
    sock, settings = enter(sys.argv[1:])
    try:
        from areal_lite.rewards import math, symbolic

        symbolic.warm_up(settings["memory_mb"])
        function = _load_function(spec) if (spec := settings["function"]) else None
    except Exception as error:  # the user's file may fail in any way; the pool raises it where the user sees it
        of = f"reward.function={settings['function']}: " if settings["function"] else ""
        send(sock, {"error": f"{of}{type(error).__name__}: {error}"})
        return
    limit_memory(settings["memory_mb"])
    send(sock, {"ready": True})
    while (item := receive(sock)) is not None:
        try:
            verdict = ({"correct": False, "outcome": "no_answer", "reason": "the row has no gold"} if function and not item["answers"]
                       else asdict(math.grade(item["response"], item["answers"], settings["protocol"])))
            if function:
                verdict = _scored(verdict, function, item)
        except Exception as error:  # whatever an item provokes is that item's outcome
            send(sock, {"crash": f"{type(error).__name__}: {error}"[:200]})
            return
        send(sock, verdict)


if __name__ == "__main__":
    main()
