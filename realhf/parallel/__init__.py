"""How one model is cut over ranks: sharded (d, r), by tensor and sequence (t), by context (c), by layers (p)."""
