"""The things that flow: Prompt -> Ticket -> Trajectory -> Batch -> Update, and the few words of control.

Every one is frozen: a room makes a new thing from the one it was given and never edits it.
Shapes: P prompt tokens, T output tokens, G samples in a group. Token arrays are int32, logprobs and rewards float32.
"""
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Finish = Literal["stop", "length"]
"""Why a trajectory ended: the model stopped, or the context did. Never inferred later from array lengths."""
Purpose = Literal["train", "evaluate"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question. Born in dataset.py as a pure function of (seed, n); dies when its last answer is scored."""
    id: str
    token_ids: np.ndarray
    """[P] int32"""
    answers: tuple[str, ...]
    """Any one of them is right."""

    def __post_init__(self):
        _require(self.token_ids, np.int32, (len(self.token_ids),), "Prompt.token_ids")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission to sample one group. Born in master/scheduler.py, dies when its group is whole."""
    k: int
    """Dense number. A training ticket k is trained at step k // prompts_per_step; evaluation numbers its own."""
    prompt: Prompt
    samples: tuple[int, ...]
    """Which samples of the group are still wanted; all of them unless a server was lost."""
    attempt: int = 0
    """How many prompts were tried under this number before (groups rejected by a filter)."""
    purpose: Purpose = "train"


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A finished and scored answer; half-made ones do not exist. Born in generation/server.py, dies in trainer/pack.py."""
    k: int
    attempt: int
    sample: int
    purpose: Purpose
    prompt_ids: np.ndarray
    """[P] int32"""
    output_ids: np.ndarray
    """[T] int32, the stop token included when there is one"""
    logprobs: np.ndarray
    """[T] float32, logprobs[t] = log p(output_ids[t] | everything before it) under the policy and temperature that sampled it"""
    versions: np.ndarray
    """[T] int32, the weight version that sampled output_ids[t]; stamped by the server"""
    finish: Finish
    reward: float
    outcome: str
    """Why this reward: a word of rewards.Outcome ("correct", "wrong", "no_answer", "timeout", "crash")."""
    answer: str
    """The extracted answer, "" when there was none; at most 200 characters."""
    seconds: float
    """Wall time from the ticket's arrival at the server to the score."""

    def __post_init__(self):
        _require(self.prompt_ids, np.int32, (len(self.prompt_ids),), "Trajectory.prompt_ids")
        tokens = (len(self.output_ids),)
        _require(self.output_ids, np.int32, tokens, "Trajectory.output_ids")
        _require(self.logprobs, np.float32, tokens, "Trajectory.logprobs")
        _require(self.versions, np.int32, tokens, "Trajectory.versions")


@dataclass(frozen=True, slots=True)
class Minibatch:
    """What one data-parallel rank contributes to one optimizer step."""
    trajectories: tuple[Trajectory, ...]
    group_rewards: np.ndarray
    """[len(trajectories), G] float32: the rewards of the whole group each trajectory belongs to (its own included)."""
    loss_tokens: int
    """Output tokens of this minibatch over ALL ranks: the denominator of the loss."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One step's work for one data-parallel rank. Born in master/batch.py, dies after the last minibatch."""
    step: int
    minibatches: tuple[Minibatch, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """New weights exist. Born in trainer/worker.py on rank 0, dies when every server has acknowledged it."""
    version: int
    """Number of optimizer steps' batches these weights have seen: batch s turns version s into s + 1."""
    path: str
    """Directory that holds weights.bin and manifest.json (see weights.py), or direct://host:port (see direct.py). "" in an
    evaluation, which has no trainer: the model directory's own weights, as every server read them at its start."""
    checksum: str
    """Of the weights, in hexadecimal; a server refuses what differs."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What the trainer measured in the step that made this version; empty for the first."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A process says it is there."""
    role: Literal["generation", "trainer"]
    index: int
    """Server number, or global trainer rank."""
    pid: int
    capacity: int = 0
    """Samples it can run at once; 0 for a trainer rank."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A generation server holds this version now and its probe check passed."""
    version: int
    checksum: str
    probe_error: float
    """max |logprob(vLLM) - logprob(trainer)| on the manifest's probe sequence."""
    seconds: float
    """Generation stall: from pause to resume."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A generation server cannot load this version, because its file is not what was published; it leaves."""
    version: int
    why: str


@dataclass(frozen=True, slots=True)
class Missed:
    """A generation server was too late for this version: the trainer holds a newer one, and the server wants that."""
    version: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Still alive, and what for. Sent by the spoke itself every second."""
    doing: str
    """A short phrase that names what is waited for: "waiting for a batch", "loading version 7"."""
    since_s: float
    """Seconds it has been doing that."""
    counters: dict[str, float] = field(default_factory=dict)
    """Totals since the process joined, e.g. generated_tokens; running and queued samples."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Leave now; finish nothing."""
    reason: str


def _require(array: np.ndarray, dtype: type, shape: tuple[int, ...], name: str) -> None:
    """The one promise every reader of an array relies on; ValueError names what is off."""
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name} is {array.dtype}{list(array.shape)}, not {np.dtype(dtype)}{list(shape)}")
