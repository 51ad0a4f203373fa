"""A two-layer Qwen2 of 0.3M random parameters as a Hugging Face directory, written without loading torch.

Consumes a seed only. The sizes are what learns the task in about a minute of one core; with an embedding of the usual
0.02 it learnt more slowly, and with an untied head it had not learnt it by then.
"""
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from areal_lite.toy.vocabulary import END, PAD, TOKENS, VOCABULARY

HIDDEN, INTERMEDIATE, LAYERS, HEADS, KEY_VALUE_HEADS, HEAD_SIZE = 128, 256, 2, 4, 2, 32
CONFIG = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "dtype": "float32", "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN, "intermediate_size": INTERMEDIATE, "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS, "num_key_value_heads": KEY_VALUE_HEADS, "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6, "hidden_act": "silu", "tie_word_embeddings": True, "use_sliding_window": False,
    "rope_theta": 1000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0},
    "bos_token_id": None, "eos_token_id": TOKENS.index(END), "pad_token_id": TOKENS.index(PAD),
}
EMBEDDING_STD = 0.1
GAIN = 0.6
"""Standard deviation of a matrix is GAIN / sqrt(its inputs)."""


def write_model(folder: Path, seed: int) -> None:
    """Write config.json, generation_config.json and model.safetensors (float32) into `folder` (made if missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2), "utf-8")
    ends = {key: CONFIG[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    (folder / "generation_config.json").write_text(json.dumps(ends, indent=2), "utf-8")
    save_file(_weights(np.random.RandomState(seed)), folder / "model.safetensors", {"format": "pt"})


def _weights(rng: np.random.RandomState) -> dict[str, np.ndarray]:
    """Hugging Face names -> float32 arrays, [outputs, inputs] for matrices; norms are one, biases zero."""
    width, narrow = HEADS * HEAD_SIZE, KEY_VALUE_HEADS * HEAD_SIZE
    weights = {"model.embed_tokens.weight": rng.randn(VOCABULARY, HIDDEN) * EMBEDDING_STD,
               "model.norm.weight": np.ones(HIDDEN)}
    for layer in range(LAYERS):
        name = f"model.layers.{layer}"
        shapes = {"self_attn.q_proj": (width, HIDDEN), "self_attn.k_proj": (narrow, HIDDEN),
                  "self_attn.v_proj": (narrow, HIDDEN), "self_attn.o_proj": (HIDDEN, width),
                  "mlp.gate_proj": (INTERMEDIATE, HIDDEN), "mlp.up_proj": (INTERMEDIATE, HIDDEN),
                  "mlp.down_proj": (HIDDEN, INTERMEDIATE)}
        for part, (outputs, inputs) in shapes.items():
            weights[f"{name}.{part}.weight"] = rng.randn(outputs, inputs) * (GAIN / np.sqrt(inputs))
        for part in ("q_proj", "k_proj", "v_proj"):
            weights[f"{name}.self_attn.{part}.bias"] = np.zeros(shapes[f"self_attn.{part}"][0])
        for norm in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{name}.{norm}.weight"] = np.ones(HIDDEN)
    return {name: array.astype(np.float32) for name, array in weights.items()}
