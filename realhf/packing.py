"""Sequences -> packed microbatches -> numbers per sequence again. numpy only, a pure function of its arguments.

A packed microbatch is one row of N tokens: sequences one after the other, then padding to a length every rank can cut.
Row j of it is the prediction made AT token j, that is, of the next token of the same sequence: labels, fields and mask
are moved there by `_predicted_by`, the only place of this package that knows about the shift by one.
"""

import itertools
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Sequence:
    """One prompt with its answer. Born at the caller, dies with the call it is given to."""

    token_ids: np.ndarray
    """[L] int32"""
    fields: dict[str, np.ndarray] = field(default_factory=dict)
    """Per-token numbers for the loss, each [L] float32 and aligned with token_ids; `mask` marks the loss tokens."""


@dataclass(frozen=True)
class Packed:
    """One microbatch of N tokens, padding included."""

    token_ids: np.ndarray
    """[N] int64"""
    positions: np.ndarray
    """[N] int64, from 0 in every sequence"""
    offsets: tuple[int, ...]
    """Sequence boundaries: 0, ..., N. Padding is a sequence of its own."""
    labels: np.ndarray
    """[N] int64: the token that row j predicts; 0 at the last token of a sequence, which predicts nothing."""
    fields: dict[str, np.ndarray]
    """[N] float32 of the predicted token; 0 where nothing is predicted."""
    members: tuple[int, ...]
    """Which of the caller's sequences these are, in order; empty in a dummy."""


def _predicted_by(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that predict something, and the token each of them predicts: rows[i] predicts token rows[i] + 1."""
    rows = np.setdiff1d(np.arange(offsets[-1]), offsets[1:] - 1)
    return rows, rows + 1


def pack(sequences: list[Sequence], members: list[int], length: int) -> Packed:
    """Lay the chosen sequences end to end, pad to `length` tokens. Raises ValueError for missing or misfit fields."""
    chosen = [sequences[i] for i in members]
    offsets = np.cumsum([0] + [len(s.token_ids) for s in chosen])
    total = int(offsets[-1])
    rows, tokens = _predicted_by(offsets)
    token_ids, labels = np.zeros(length, np.int64), np.zeros(length, np.int64)
    if chosen:
        token_ids[:total] = np.concatenate([s.token_ids for s in chosen])
    labels[rows] = token_ids[tokens]
    fields = {}
    for name in chosen[0].fields if chosen else ():
        misfits = [i for i in members if sequences[i].fields.get(name, _NOTHING).shape != sequences[i].token_ids.shape]
        if misfits:
            raise ValueError(f'field "{name}" of sequence {misfits[0]} is missing or not as long as its token_ids')
        fields[name] = np.zeros(length, np.float32)
        fields[name][rows] = np.concatenate([s.fields[name] for s in chosen])[tokens]
    bounds = tuple(offsets.tolist()) + ((length,) if length > total else ())
    positions = np.concatenate([np.arange(b - a) for a, b in itertools.pairwise(bounds)])
    return Packed(token_ids, positions, bounds, labels, fields, tuple(members))


_NOTHING = np.empty(0)


def unpack(packed: Packed, values: np.ndarray) -> list[np.ndarray]:
    """[N] numbers of predictions -> one [L] float32 per member, aligned to the predicted token; the first is 0."""
    if not packed.members:
        return []
    offsets = np.asarray(packed.offsets[: len(packed.members) + 1])
    rows, tokens = _predicted_by(offsets)
    aligned = np.zeros(offsets[-1], np.float32)
    aligned[tokens] = values[rows]
    return np.split(aligned, offsets[1:-1])


def first_fit_decreasing(lengths: np.ndarray, budget: int) -> list[list[int]]:
    """Group items into bins of at most `budget` tokens; a longer item gets a bin of its own.

    Longest first, each into the first bin with room: at most 11/9 of the optimum (Johnson 1973).
    """
    sizes = np.minimum(lengths, budget)
    smallest = sizes.min(initial=budget)
    free = np.full(len(sizes) + 1, budget, np.int64)
    bins: list[list[int]] = []
    full = 0  # every bin before this one is closed to all
    for item in np.argsort(-sizes, kind="stable").tolist():
        place = full + int((free[full : len(bins) + 1] >= sizes[item]).argmax())
        if place == len(bins):
            bins.append([])
        bins[place].append(item)
        free[place] -= sizes[item]
        while free[full] < smallest:
            full += 1
    return bins


def microbatches(
    sequences: list[Sequence], bins: list[list[int]], multiple: int, count: int, equal: bool = False
) -> list[Packed]:
    """Pack each bin of sequences, the most expensive first, and add dummies up to `count` microbatches.

    Lengths are padded to a multiple of `multiple`; with `equal`, all to the longest one. A dummy has no members.
    """
    sizes = [sum(len(sequences[i].token_ids) for i in members) for members in bins]
    order = sorted(range(len(bins)), key=lambda b: -sum(len(sequences[i].token_ids) ** 2 for i in bins[b]))
    padded = [-(-size // multiple) * multiple for size in sizes]
    common = max(padded, default=multiple)
    result = [pack(sequences, bins[b], common if equal else padded[b]) for b in order]
    dummy = pack([], [], common if equal else multiple)
    return result + [dummy] * (count - len(bins))
