"""A made Qwen2 model, small enough for every test: 64 words, 0.5M fp32 parameters, tied embeddings, random weights."""
from pathlib import Path

from benchmarks.fakes import BOX, CLOSE, EOS, LETTERS, SPACE, WORDS, ZERO, A, write_tokenizer

__all__ = ["BOX", "CLOSE", "EOS", "LETTERS", "SPACE", "WORDS", "ZERO", "A", "logprobs", "make_model", "perturbed", "publish_model",
           "write_tokenizer"]


def make_model(directory: Path, seed: int = 0, endless: bool = False):
    """Write a Hugging Face directory and return the transformers model, in fp32.

    endless: the end-of-sequence token is practically never sampled.
    """
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(WORDS), hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=4096, tie_word_embeddings=True, initializer_range=0.1,
        bos_token_id=None, eos_token_id=EOS, pad_token_id=1)
    model = Qwen2ForCausalLM(config).float().eval()
    if endless:
        with torch.no_grad():
            model.model.embed_tokens.weight[:, 0] = 6.0
            model.model.embed_tokens.weight[EOS, 0] = -6.0
    model.save_pretrained(directory)
    write_tokenizer(directory)
    return model


def perturbed(model, seed: int):
    """A copy with every weight moved a little: what a few optimizer steps would do."""
    import copy

    import torch

    other, generator = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in other.parameters():
            weight += 0.02 * torch.randn(weight.shape, generator=generator)
    return other


def logprobs(model, ids, temperature: float = 1.0):
    """[L] float32 numpy: the model's own logprobs of a sequence [L], aligned; index 0 is 0."""
    import numpy as np
    import torch

    ids = torch.as_tensor(np.asarray(ids), dtype=torch.long)[None]
    with torch.no_grad():
        scores = torch.log_softmax(model(ids).logits[0, :-1] / temperature, -1).gather(-1, ids[0, 1:, None])[:, 0]
    return np.concatenate([[0.0], scores.numpy()]).astype(np.float32)


def publish_model(root: Path, version: int, model, probe_ids=(), parts: slice = slice(None)) -> tuple[str, str]:
    """Publish the model's fp32 tensors (or only `parts` of them) with an honest probe; (path, checksum)."""
    from areal_lite.weights import publish

    tensors = [(n, "float32", tuple(p.shape), p.detach().numpy()) for n, p in list(model.named_parameters())[parts]]
    return publish(root, version, tensors, probe_ids, logprobs(model, probe_ids) if len(probe_ids) else ())
