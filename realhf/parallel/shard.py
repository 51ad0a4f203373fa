"""FSDP2: parameters, gradients and optimizer state cut over the d x c ranks, replicated r times (HSDP).

fp32 master shards; computation in the compute dtype; gradients are summed, never averaged, in fp32: the caller
divides its loss by the global number of tokens. Used for one rank too, because it is also what casts.
"""

import torch
from torch.distributed.fsdp import CPUOffloadPolicy, FSDPModule, MixedPrecisionPolicy, OffloadPolicy, fully_shard

from realhf.mesh import Mesh
from realhf.model import Decoder


def apply_shards(decoder: Decoder, mesh: Mesh, compute_dtype: torch.dtype, cpu_offload: bool) -> None:
    """Shard each layer, an untied input embedding, and the rest (norm, head or tied embedding) as one group each."""
    precision = MixedPrecisionPolicy(param_dtype=compute_dtype, reduce_dtype=torch.float32)
    if compute_dtype == torch.float32:
        precision = MixedPrecisionPolicy()
    offload = CPUOffloadPolicy(pin_memory=torch.cuda.is_available()) if cpu_offload else OffloadPolicy()
    options = {"mesh": mesh.shard, "mp_policy": precision, "offload_policy": offload}
    for layer in decoder.model.layers.values():
        fully_shard(layer, **options)
    if decoder.is_first and (hasattr(decoder, "lm_head") or not decoder.is_last):
        fully_shard(decoder.model.embed_tokens, **options)
    fully_shard(decoder, **options)
    for module in decoder.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
