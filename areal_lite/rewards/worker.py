"""One verifier process: grades an item per frame until its socket closes or its parent dies.

Started by pool.py. Out of memory, or a user's function that raises, is reported as {"crash": reason}; the process
then ends, because its state is no longer known.
"""

import importlib.util
import math as floats
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from areal_lite.rewards.process import enter, limit_memory, receive, send


def _load_function(spec: str) -> Callable[[str, list[str], str], float]:
    """The user's reward function named by `path/file.py:name`. Raises ValueError when there is none."""
    path, _, name = spec.rpartition(":")
    if not path or not Path(path).is_file():
        raise ValueError(f"reward.function={spec!r}: no such file; write path/file.py:name")
    module_spec = importlib.util.spec_from_file_location("reward_function", path)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise ValueError(f"reward.function={spec!r}: {path} has no function {name!r}")
    return function


def _score_of(function: Callable, item: dict) -> float:
    score = float(function(item["response"], item["answers"], item["finish"]))
    if not floats.isfinite(score):
        raise ValueError(f"the reward function returned {score}")
    return score


def main() -> None:
    """Send {"ready"} or {"error"}, then a verdict per frame; ends after a crash, or when the parent closes the socket."""
    sock, settings = enter(sys.argv[1:])
    try:
        from areal_lite.rewards import math, symbolic

        symbolic.warm_up(settings["memory_mb"])
        function = _load_function(settings["function"]) if settings["function"] else None
    except Exception as error:  # the user's file may fail in any way; the pool raises it where the user sees it
        send(sock, {"error": f"{type(error).__name__}: {error}"})
        return
    limit_memory(settings["memory_mb"])
    send(sock, {"ready": True})
    while (item := receive(sock)) is not None:
        try:
            verdict = ({"correct": False, "outcome": "no_answer", "reason": "the row has no gold"} if function and not item["answers"]
                       else asdict(math.grade(item["response"], item["answers"], settings["protocol"])))
            verdict["score"] = _score_of(function, item) if function else None
        except Exception as error:  # whatever an item provokes is that item's outcome
            send(sock, {"crash": f"{type(error).__name__}: {error}"[:200]})
            return
        send(sock, verdict)


if __name__ == "__main__":
    main()
