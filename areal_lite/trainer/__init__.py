"""Trainer ranks: a Batch in, an Update out, on the realhf engine."""
