"""AReaL-lite: asynchronous, critic-free reinforcement learning for reasoning models."""
