"""Files -> Prompt(n), a pure function of (seed, n): a restarted run asks for number n and gets the same prompt.

Reads once at the start, tokenises everything with the light `tokenizers` library, then never waits for anything.
"""
import json
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from areal_lite.dataset import chat
from areal_lite.dataset.filters import of_difficulty, uncontaminated, with_gold
from areal_lite.dataset.readers import Row, load_rows
from areal_lite.templates import render
from areal_lite.types import Prompt

_log = logging.getLogger(__name__)


class Dataset:
    """Tokenised rows in a seeded endless order.

    dropped: why -> how many rows were left out, for the run's record; also logged once. cut: responses shortened.
    """

    def __init__(self, rows: Sequence[Row], model_path: str, *, template: str = "none", max_prompt_tokens: int = 2048,
                 seed: int = 1, max_response_tokens: int = 0, dropped: dict[str, int] | None = None):
        """model_path: directory or hub name whose tokenizer.json is used.

        Rows whose prompt, after the template, is longer than max_prompt_tokens are dropped. Responses are cut at
        max_response_tokens (0 is no limit) and then lack the end token. Raises ValueError when no row is left.
        """
        tokenizer, end_id = load_tokenizer(model_path)
        talk = chat.renderer(tokenizer_folder(model_path)) if template == "chat" else None
        prompt_ids = _encode(tokenizer, [_prompt_text(row, template, talk) for row in rows])
        kept = [n for n, ids in enumerate(prompt_ids) if len(ids) <= max_prompt_tokens]
        self.dropped = {**(dropped or {}), "prompt too long": len(rows) - len(kept)}
        if not kept:
            raise ValueError(f"no row is left, dropped were {self.dropped}; max_prompt_tokens={max_prompt_tokens}")
        self.seed = seed
        self.rows = [rows[n] for n in kept]
        self._prompt_ids = [prompt_ids[n] for n in kept]
        whole = [np.append(ids, np.int32(end_id)) for ids in _encode(tokenizer, [row.response for row in self.rows])]
        limit = max_response_tokens or max(map(len, whole))
        self._response_ids = [ids[:limit] for ids in whole]
        self.cut = sum(len(ids) > limit for ids in whole)
        if any(self.dropped.values()) or self.cut:
            _log.warning("dropped rows: %s; responses cut: %d; rows left: %d",
                         {why: count for why, count in self.dropped.items() if count}, self.cut, len(kept))

    def __len__(self) -> int:
        """Rows in one epoch."""
        return len(self.rows)

    def index(self, n: int) -> int:
        """Row number of the n-th draw: epoch n // len(self) is a permutation of its own."""
        epoch, place = divmod(n, len(self))
        return int(_permutation(self.seed, epoch, len(self))[place])

    def prompt(self, n: int) -> Prompt:
        """The n-th prompt, n = 0, 1, 2, ... without end."""
        return self.at(self.index(n))

    def at(self, row: int) -> Prompt:
        """The prompt of one row, in file order: evaluation asks for every row once."""
        return Prompt(id=self.rows[row].id, token_ids=self._prompt_ids[row], answers=self.rows[row].answers)

    def response(self, n: int) -> np.ndarray:
        """[T] int32: what supervised training imitates after prompt(n), the end-of-sequence token included.

        Raises ValueError for a row that has no response.
        """
        row = self.index(n)
        if not self.rows[row].response:
            raise ValueError(f"{self.rows[row].where} has no response; supervised training needs one in every row")
        return self._response_ids[row]


def load(path: str, model_path: str, *, format: str = "auto", difficulty: str = "", limit: int = 0,
         decontaminate: Sequence[str] = (), golds: bool = True, **settings) -> Dataset:
    """Read, filter and tokenise. `settings` are Dataset's. golds: a row without an answer (or response) is of no use.

    Raises ValueError, saying what to change.
    """
    rows = load_rows(path, format, golds)
    dropped = {}

    def keep(reason: str, kept: list[Row]) -> None:
        nonlocal rows
        dropped[reason] = len(rows) - len(kept)
        rows = kept

    if golds:
        keep("empty gold", with_gold(rows))
    if difficulty:
        keep("other difficulty", of_difficulty(rows, difficulty))
    if decontaminate:
        keep("contaminated", uncontaminated(rows, [row for file in decontaminate for row in load_rows(file, golds=False)]))
    if limit:
        rows = rows[:limit]
    return Dataset(rows, model_path, dropped=dropped, **settings)


def load_tokenizer(model_path: str) -> tuple[Tokenizer, int]:
    """The model's fast tokenizer and its end-of-sequence id. Raises ValueError when a file is missing.

    model_path is a Hugging Face directory or hub name; padding and truncation the file may set are switched off.
    """
    folder = tokenizer_folder(model_path)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    end = json.loads((folder / "tokenizer_config.json").read_text("utf-8")).get("eos_token")
    end_id = tokenizer.token_to_id(end["content"] if isinstance(end, dict) else str(end))
    if end_id is None:
        raise ValueError(f"{folder}/tokenizer_config.json: eos_token {end!r} is not a token of tokenizer.json")
    return tokenizer, end_id


def tokenizer_folder(model_path: str) -> Path:
    """Where the model's tokenizer files are; those of a hub name are fetched. Raises ValueError when one is missing."""
    folder = Path(model_path)
    if not folder.is_dir():
        import huggingface_hub

        try:
            folder = Path(huggingface_hub.snapshot_download(
                model_path, allow_patterns=["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]))
        except (OSError, ValueError, huggingface_hub.errors.HfHubHTTPError) as error:
            raise ValueError(f"model {model_path!r} is no directory and not on the hub: {error}") from error
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if not (folder / name).exists():
            raise ValueError(f"{folder} has no {name}; save the model's fast tokenizer there")
    return folder


def _prompt_text(row: Row, template: str, talk: Callable[[Sequence[tuple[str, str]]], str] | None) -> str:
    """talk: the model's chat template, with template "chat"."""
    if len(row.messages) > 1 and not talk:
        raise ValueError(f"{row.where} has {len(row.messages)} messages, which data.template={template} cannot join; "
                         "set data.template=chat for the model's own chat template")
    if template == "none":
        return row.prompt or row.problem
    if not row.problem and not (talk and row.messages):
        raise ValueError(f"{row.where} holds a finished prompt, not a bare problem; set data.template=none")
    if not talk:
        return render(template, row.problem)
    try:
        return talk(row.messages or (("user", row.problem),))
    except ValueError as error:
        raise ValueError(f"{row.where}: {error}") from error


def _encode(tokenizer: Tokenizer, texts: Sequence[str]) -> list[np.ndarray]:
    """[len] int32 each. In slices, so that the tokenizer's bulky records live for 4,096 texts at a time."""
    ids: list[np.ndarray] = []
    for start in range(0, len(texts), 4096):
        batch = tokenizer.encode_batch_fast(list(texts[start:start + 4096]), add_special_tokens=False)
        ids += [np.array(encoding.ids, np.int32) for encoding in batch]
    return ids


@lru_cache(maxsize=2)
def _permutation(seed: int, epoch: int, length: int) -> np.ndarray:
    """RandomState, not Generator: numpy promises its stream for all versions, so an order survives an upgrade."""
    return np.random.RandomState([seed, epoch]).permutation(length)
