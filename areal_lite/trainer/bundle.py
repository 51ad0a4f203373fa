"""A replay bundle: one data-parallel rank's share of a step, with every number that was made on the way to the loss.

A file is MAGIC, then frames, each with its length before it (u64, little endian): a msgpack header, the Batch as its
wire frames (streams.codec), and one raw array per table. Written beside the master's answers.jsonl and a copy of the
stage's config.yaml, so that the directory can be replayed anywhere.
"""
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgpack
import numpy as np

from areal_lite.streams.codec import WireError, decode, encode
from areal_lite.types import Batch, Trajectory

MAGIC = b"areal-lite bundle 1\n"
TABLES = ("proximal", "reference", "advantages", "current")
_LENGTH = struct.Struct("<Q")


@dataclass
class Trace:
    """What ppo_step did in between; each table is id(trajectory) -> [T], empty when the step did without it."""
    proximal: dict[int, np.ndarray] = field(default_factory=dict)
    reference: dict[int, np.ndarray] = field(default_factory=dict)
    advantages: dict[int, np.ndarray] = field(default_factory=dict)
    current: dict[int, np.ndarray] = field(default_factory=dict)
    """Logprobs of the policy right before the trajectory's own minibatch."""
    metrics: list[dict[str, float]] = field(default_factory=list)
    """Of every minibatch, over all ranks, per loss token."""


@dataclass(frozen=True)
class Share:
    """A bundle file that was read back."""
    batch: Batch
    rank: int
    ranks: int
    """Data-parallel: bundle files of the whole step."""
    metrics: list[dict[str, float]]
    tables: dict[str, list[np.ndarray]]
    """Table -> [T] of every trajectory in the batch's order; a table the step did without is missing."""


def trajectories(batch: Batch) -> list[Trajectory]:
    """All of a batch, in its order."""
    return [t for mb in batch.minibatches for t in mb.trajectories]


def write(directory: Path, rank: int, ranks: int, batch: Batch, trace: Trace) -> None:
    """Write DIRECTORY/share-RANK.bundle at once; rank of `ranks` is data-parallel."""
    order = trajectories(batch)
    tables = {name: np.concatenate([getattr(trace, name)[id(t)] for t in order] or [np.zeros(0)])
              for name in TABLES if getattr(trace, name)}
    wire = encode(batch)
    header = msgpack.packb({"rank": rank, "ranks": ranks, "metrics": trace.metrics, "wire": len(wire),
                            "tables": [[name, a.dtype.str] for name, a in tables.items()]})
    directory.mkdir(parents=True, exist_ok=True)
    partial = directory / f"share-{rank}.partial"
    with open(partial, "wb") as out:
        out.write(MAGIC)
        for frame in (header, *wire, *[a.data if a.size else b"" for a in tables.values()]):
            out.write(_LENGTH.pack(memoryview(frame).nbytes))
            out.write(frame)
    os.replace(partial, directory / f"share-{rank}.bundle")


def read(file: Path) -> Share:
    """ValueError when the file is not a whole bundle."""
    try:
        raw = memoryview(file.read_bytes())
        if raw[:len(MAGIC)] != MAGIC:
            raise ValueError("it does not begin like one")
        frames = list(_frames(raw[len(MAGIC):]))
        header = msgpack.unpackb(frames[0])
        batch = decode(frames[1:1 + header["wire"]])
        ends = np.cumsum([len(t.output_ids) for t in trajectories(batch)])[:-1]
        flat = {name: np.frombuffer(frame, dtype) for (name, dtype), frame
                in zip(header["tables"], frames[1 + header["wire"]:], strict=True)}
        if odd := [name for name, a in flat.items() if len(a) != sum(len(t.output_ids) for t in trajectories(batch))]:
            raise ValueError(f"{', '.join(odd)} have not one number per token")
    except (WireError, ValueError, KeyError, IndexError, TypeError, AttributeError, msgpack.exceptions.UnpackException) as error:
        raise ValueError(f"{file} is not a whole replay bundle: {error}") from error
    return Share(batch, header["rank"], header["ranks"], header["metrics"],
                 {name: np.split(a, ends) for name, a in flat.items()})


def _frames(raw: memoryview) -> Iterator[memoryview]:
    at = 0
    while at < len(raw):
        if at + _LENGTH.size > len(raw):
            raise ValueError("it is cut off")
        (size,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        if at + size > len(raw):
            raise ValueError("it is cut off")
        yield raw[at:at + size]
        at += size
