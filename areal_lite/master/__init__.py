"""The master process: prompts -> tickets -> batches; knows every version. No torch, no vllm, no tensors."""
