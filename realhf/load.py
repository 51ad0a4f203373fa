"""Hugging Face directory -> sharded parameters. Every rank reads only its own slices of the safetensors files."""

from pathlib import Path

import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
from torch.distributed.tensor import DTensor


def load_safetensors(path: str, parameters: dict[str, torch.Tensor]) -> None:
    """Fill parameters (by their Hugging Face names, in place, in their own dtype) from the directory. Collective.

    Raises ValueError when the directory holds no safetensors files.
    """
    if not any(Path(path).glob("*.safetensors")):
        raise ValueError(f'"{path}" holds no *.safetensors file; convert the model, or download those files too')
    dcp.load(parameters, storage_reader=HuggingFaceStorageReader(path=path))


@torch.no_grad()
def randomise(parameters: dict[str, torch.Tensor], seed: int) -> None:
    """Random weights of the usual scale, for benchmarks: normal(0, 0.02), ones for norms. Differs between layouts."""
    torch.manual_seed(seed)
    for name, parameter in parameters.items():
        local = parameter.to_local() if isinstance(parameter, DTensor) else parameter
        if name.endswith("norm.weight"):
            local.fill_(1.0)
        else:
            local.normal_(std=0.02)
