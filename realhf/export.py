"""Parameters -> a Hugging Face directory that transformers and vLLM load. One tensor is gathered at a time.

Host memory of rank 0 holds at most one file's worth; the other ranks hold one tensor.
"""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file

FILE_BYTES = 2 * 2**30
COPIED = ("config.json", "generation_config.json", "tokenizer*", "special_tokens_map.json", "added_tokens.json",
          "vocab.*", "merges.txt", "chat_template*", "*.model")  # fmt: skip


def write_hugging_face(path: str, source: str, tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Write all tensors and copy configuration and tokenizer from `source`; the directory appears when it is whole."""
    final = Path(path)
    partial = final.with_name(final.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for pattern in COPIED:
        for file in Path(source).glob(pattern):
            shutil.copy(file, partial / file.name)
    files: list[list[str]] = []
    held: dict[str, torch.Tensor] = {}
    total = 0
    for name, tensor in tensors:
        if held and sum(t.nbytes for t in held.values()) + tensor.nbytes > FILE_BYTES:
            files.append(_flush(held, partial, len(files)))
        held[name] = tensor.contiguous()
        total += tensor.nbytes
    files.append(_flush(held, partial, len(files)))
    _name_files(partial, files, total)
    shutil.rmtree(final, ignore_errors=True)
    os.replace(partial, final)


def _flush(held: dict[str, torch.Tensor], directory: Path, number: int) -> list[str]:
    save_file(held, directory / f"{number}.safetensors", metadata={"format": "pt"})
    names = list(held)
    held.clear()
    return names


def _name_files(directory: Path, files: list[list[str]], total: int) -> None:
    """One file is model.safetensors; several are numbered out of their count and get an index."""
    if len(files) == 1:
        os.replace(directory / "0.safetensors", directory / "model.safetensors")
        return
    where = {}
    for number, names in enumerate(files):
        file = f"model-{number + 1:05d}-of-{len(files):05d}.safetensors"
        os.replace(directory / f"{number}.safetensors", directory / file)
        where |= dict.fromkeys(names, file)
    index = {"metadata": {"total_size": total}, "weight_map": where}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index, indent=1))
