"""Critic-free policy gradients as pure tensor functions: advantages, losses, and what they report."""
