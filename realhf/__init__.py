"""The distributed training engine: logprobs, a step with a given loss, save, load, export. Knows nothing of RL."""
