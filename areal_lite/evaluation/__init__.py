"""How good is a model: benchmarks through real generation servers, and statistics as pure functions of answers."""
