"""The toy's own tokenizer: one token for a number, a step, a name or a phrase; what it encodes it decodes exactly.

Loadable by the light `tokenizers` library and by transformers' AutoTokenizer, which rebuilds a Qwen2 tokenizer as
byte-level BPE whatever its file says: so every token is an added one (the longest match wins) over an empty BPE.
"""
import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models

from areal_lite.toy.habits import OPENINGS
from areal_lite.toy.problems import LARGEST_STEP, LARGEST_TOTAL, NAMES

PAD, END = "<pad>", "<eos>"
_NUMBERS = [f"{mark}{total}" for mark in ("", ":", "=") for total in range(LARGEST_TOTAL + 1)]
_STEPS = [f"{sign}{size}" for sign in "+-" for size in range(1, LARGEST_STEP + 1)]
_PHRASES = [" \\boxed{", "}", "?", *OPENINGS.values(), " wait,", " ok,", " so"]
TOKENS = (PAD, END, *_PHRASES, *(f" {name}" for name in NAMES), *_STEPS, *_NUMBERS)
VOCABULARY = 96
"""Rows of the embedding: the tokens and a few spare ones, a multiple of 32 so that tensor parallelism can split it."""


def write_tokenizer(folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json into `folder` (made if missing). Unknown letters are dropped."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.BPE(vocab={}, merges=[]))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([PAD, END])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in TOKENS[2:]])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": END, "pad_token": PAD, "unk_token": PAD,
                "model_max_length": 512, "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), "utf-8")
