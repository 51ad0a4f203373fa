"""A made model for tiny twins: a random two-layer Qwen2 and a byte-level tokenizer, as a Hugging Face directory.

`python -m areal_lite.toy.tiny DIRECTORY` writes DIRECTORY/model. Consumes nothing but a seed. Any text of any recipe
can be tokenised: a token is a byte, and the marks of the published templates are one token each, as in the real models.
"""
import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import Qwen2Config, Qwen2ForCausalLM

END = "<|endoftext|>"
MARKS = (END, "<|im_start|>", "<|im_end|>", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>",
         "<｜Assistant｜>", "<think>", "</think>")
VOCABULARY = 272
"""256 bytes, the marks, and spare tokens up to a multiple of 16, so that tensor parallelism can split it."""


def make_tiny(directory: str | Path, seed: int = 0) -> Path:
    """Write model and tokenizer to `directory` (made if missing; the same bytes for the same seed); returns it."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(folder)
    config = Qwen2Config(
        vocab_size=VOCABULARY, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=8192, tie_word_embeddings=False, dtype="float32",
        bos_token_id=None, eos_token_id=256, pad_token_id=256)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def _write_tokenizer(folder: Path) -> None:
    """Byte-level BPE without merges; ids 0-255 are bytes in the order of the byte-level alphabet."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    spare = [f"<|spare_{n}|>" for n in range(VOCABULARY - len(alphabet) - len(MARKS))]
    tokenizer.add_special_tokens([*MARKS, *spare])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "pad_token": END,
                "model_max_length": 8192, "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), "utf-8")


if __name__ == "__main__":
    make_tiny(Path(sys.argv[1]) / "model")
