"""What a run is told: schema (the dataclasses), load (YAML and words -> Experiment), checks (what cannot work together)."""
from areal_lite.config.load import ConfigError, is_stage, load, names, read_experiment, read_stage, read_words, to_yaml
from areal_lite.config.schema import Experiment, Stage

__all__ = ["ConfigError", "Experiment", "Stage", "is_stage", "load", "names", "read_experiment", "read_stage", "read_words",
           "to_yaml"]
