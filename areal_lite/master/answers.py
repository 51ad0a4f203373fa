"""The master's part of a replay bundle: what was asked, what was answered and what would have been right, as text."""
import json
from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer

from areal_lite import record
from areal_lite.types import Prompt, Trajectory


def write_answers(directory: Path, groups: list[list[Trajectory]], prompt_of: Callable[[int, int], Prompt],
                  tokenizer: Tokenizer) -> None:
    """Write DIRECTORY/answers.jsonl, a row per trajectory. prompt_of: (ticket number, attempt) -> its prompt."""
    directory.mkdir(parents=True, exist_ok=True)
    rows = []
    for group in groups:
        prompt = prompt_of(group[0].k, group[0].attempt)
        for t in group:
            text = tokenizer.decode(t.output_ids.tolist(), skip_special_tokens=True)
            rows.append({"k": t.k, "attempt": t.attempt, "sample": t.sample, "prompt": prompt.id,
                         "answers": list(prompt.answers), "response": text})
    record.write(directory / "answers.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
