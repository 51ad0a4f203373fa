"""The embedded default behind exp=quickstart: a made task, four habits of answering it, a tokenizer and a tiny model.

`make` consumes a directory and a seed and writes everything a run reads; it waits for nothing and loads no torch.
"""
import json
import random
from collections.abc import Iterable
from pathlib import Path

from areal_lite.toy.habits import SHARES, answer
from areal_lite.toy.model import write_model
from areal_lite.toy.problems import Problem, draw
from areal_lite.toy.vocabulary import write_tokenizer

TRAIN_ROWS, SFT_ROWS, HELDOUT_ROWS = 4096, 16000, 256
HELDOUT_SEED = 0
"""The held-out problems are the same whatever the seed of a run, so that runs can be compared."""


def make(directory: str | Path, seed: int = 1) -> None:
    """Write DIRECTORY/{train,sft,heldout}.jsonl and DIRECTORY/model, a Hugging Face directory; takes seconds.

    The same seed gives the same bytes, so making it again changes nothing. No problem occurs twice, in one file or
    in two: what is held out was never trained on. train and heldout: {"id", "prompt", "answers"}; sft: {"prompt",
    "response", "habit"}, where "habit" is only for the reader.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    _write(folder / "heldout.jsonl", _questions("heldout", random.Random(HELDOUT_SEED), taken, HELDOUT_ROWS))
    rng = random.Random(f"toy {seed}")
    _write(folder / "train.jsonl", _questions("train", rng, taken, TRAIN_ROWS))
    _write(folder / "sft.jsonl", _answered(rng, taken, SFT_ROWS))
    write_tokenizer(folder / "model")
    write_model(folder / "model", seed)


def _questions(name: str, rng: random.Random, taken: set[str], rows: int) -> Iterable[dict]:
    for number in range(rows):
        problem = _new(rng, taken)
        yield {"id": f"{name}-{number}", "prompt": problem.prompt, "answers": [str(problem.totals[-1])]}


def _answered(rng: random.Random, taken: set[str], rows: int) -> Iterable[dict]:
    for _ in range(rows):
        problem = _new(rng, taken)
        habit = rng.choices(list(SHARES), list(SHARES.values()))[0]
        yield {"prompt": problem.prompt, "response": answer(problem, habit), "habit": habit}


def _new(rng: random.Random, taken: set[str]) -> Problem:
    """A problem that is in no file yet."""
    while (problem := draw(rng)).prompt in taken:
        pass
    taken.add(problem.prompt)
    return problem


def _write(path: Path, rows: Iterable[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
