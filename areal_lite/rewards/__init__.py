"""From a response's text to a number: the math verifier, the killable pool it runs in, and the reward rules."""
