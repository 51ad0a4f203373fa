"""The distributed training engine: forward logprobs, a step with a given loss, save, load, export. Knows nothing of RL."""
