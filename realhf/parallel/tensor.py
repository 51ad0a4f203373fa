"""Tensor + sequence parallel: the model's own plan of transformers, and activations cut along the sequence between.

Attention and MLP are cut by heads and columns; everything between them works on T / t tokens, so norms, residuals and
the pipeline's messages are cut as well. Applied to a stage on the meta device, before it is sharded.
"""

from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    PrepareModuleInput,
    RowwiseParallel,
    SequenceParallel,
    parallelize_module,
)

from realhf.model import Decoder


def apply_tensor_parallel(decoder: Decoder, mesh: DeviceMesh, plan: dict[str, str]) -> None:
    """Cut one stage over `mesh`. plan: module name -> "colwise" or "rowwise", as in config.base_model_tp_plan.

    Other words in the plan (transformers adds one for tied embeddings) are not ours and are left out.
    """
    decoder.tensor = mesh
    styles = {
        "colwise": lambda: ColwiseParallel(),
        "rowwise": lambda: RowwiseParallel(output_layouts=Shard(1), use_local_output=False),
    }
    wanted = {name: styles[style]() for name, style in plan.items() if style in styles}
    wanted["embed_tokens"] = RowwiseParallel(
        input_layouts=Replicate(), output_layouts=Shard(1), use_local_output=False
    )
    for norm in ("layers.*.input_layernorm", "layers.*.post_attention_layernorm", "norm"):
        wanted[norm] = SequenceParallel()
    wanted["layers.*.self_attn"] = PrepareModuleInput(
        input_kwarg_layouts={"hidden_states": Shard(1)}, desired_input_kwarg_layouts={"hidden_states": Replicate()}
    )
    wanted["layers.*.mlp"] = PrepareModuleInput(input_layouts=Shard(1), desired_input_layouts=Replicate())
    here = {name.split(".")[0] for name, _ in decoder.model.named_children()}
    parallelize_module(decoder.model, mesh, {k: v for k, v in wanted.items() if k.split(".")[0] in here})
    if hasattr(decoder, "lm_head"):
        decoder.lm_head.weight = nn.Parameter(distribute_tensor(decoder.lm_head.weight.data, mesh, [Shard(0)]))
