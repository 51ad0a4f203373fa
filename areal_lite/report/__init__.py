"""Draws a run: a pure reader of a run directory."""
