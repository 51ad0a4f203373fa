"""Finished, scored trajectories that no checkpoint covers yet, on disk: what a crash would otherwise make the servers do again.

JOURNAL/<what they belong to>/step-<s> holds the answers to the tickets of step s in the order they came: a record is its
length and xxh3-64 checksum, then the frames of streams.codec. Written by the master as they arrive, read once by the
master that comes after it, removed when every checkpoint on disk is past their step. A crash of processes loses nothing; a
power cut may lose what the kernel had not written. Waits for the disk, for nobody else; a disk that refuses ends the
journal, not the run.
"""
import hashlib
import json
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import xxhash

from areal_lite.streams import WireError, decode, encode
from areal_lite.types import Trajectory

_HEAD = struct.Struct("<QQ")
"""Bytes of the body and its checksum."""
_COUNT = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")
_OPEN = 16
"""Files open at once; there are as many as steps since the checkpoint before the last."""


class Journal:
    """One stage's journal. `off` says in words why nothing is written any more, "" while it works."""

    def __init__(self, root: Path, facts: dict[str, object], prompts_per_step: int, limit_bytes: int):
        """facts: all that decides what a trajectory is and what reward it gets; records made under others are removed.
        limit_bytes: size on disk over which nothing is added; 0 writes and reads nothing."""
        name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
        self.root, self.prompts_per_step, self.limit = root / name, prompts_per_step, limit_bytes
        self.off = "" if limit_bytes else "checkpoint.journal_gb is 0"
        for other in (p for p in root.glob("*") if p != self.root):
            shutil.rmtree(other, ignore_errors=True)
        self.size = {file: file.stat().st_size for file in self._files()}
        self.open: dict[Path, BinaryIO] = {}

    def append(self, t: Trajectory) -> None:
        """Keep an answer that the scheduler has accepted."""
        if self.off:
            return
        frames = [memoryview(f).cast("B") for f in encode(t)]
        body = [_COUNT.pack(len(frames)), *(_LENGTH.pack(len(f)) for f in frames), *frames]
        length, checksum = sum(map(len, body)), xxhash.xxh3_64()
        for piece in body:
            checksum.update(piece)
        file = self.root / f"step-{t.k // self.prompts_per_step:08d}"
        if sum(self.size.values()) + length > self.limit:
            return                                         # room comes with the next checkpoint
        try:
            if file not in self.open:                      # once a step: closing flushes, which a network file system makes slow
                self.root.mkdir(parents=True, exist_ok=True)
                if len(self.open) == _OPEN:                # the oldest step's has probably had its last answer
                    self.open.pop(min(self.open)).close()
                self.open[file] = open(file, "ab")
            self.open[file].writelines([_HEAD.pack(length, checksum.intdigest()), *body])
            self.open[file].flush()
        except OSError as error:
            self._end(f"{file} cannot be written: {error}")
            return
        self.size[file] = self.size.get(file, 0) + _HEAD.size + length

    def read(self, step: int) -> list[Trajectory]:
        """The answers for this step and later ones, in the order they came. What was cut or damaged is left out, and cut
        off, so that later records do not follow rubble."""
        found = []
        for file in (f for f in self._files() if _step(f) >= step):
            try:
                records = list(_records(file))
                os.truncate(file, records[-1][1] if records else 0)
            except OSError as error:
                self._end(f"{file} cannot be read: {error}")
                return found
            found += [t for t, _ in records]
            self.size[file] = records[-1][1] if records else 0
        return found

    def retire(self, step: int) -> None:
        """Remove what belongs to steps before this one."""
        for file in [f for f in self.size if _step(f) < step]:
            if out := self.open.pop(file, None):
                out.close()
            file.unlink(missing_ok=True)
            del self.size[file]

    def _end(self, why: str) -> None:
        """Give the room back: what fills the disk may be this."""
        self.off = why
        self.open.clear()
        shutil.rmtree(self.root, ignore_errors=True)
        self.size.clear()

    def _files(self) -> list[Path]:
        return sorted(self.root.glob("step-*")) if self.limit else []


def _step(file: Path) -> int:
    return int(file.name.removeprefix("step-"))


def _unpack(body: bytes) -> list[bytes]:
    (count,) = _COUNT.unpack_from(body)
    at, frames = _COUNT.size + count * _LENGTH.size, []
    for (size,) in _LENGTH.iter_unpack(body[_COUNT.size:at]):
        frames.append(body[at:at + size])
        at += size
    return frames


def _records(file: Path) -> Iterator[tuple[Trajectory, int]]:
    """(trajectory, where it ends in the file) up to the first record that is not whole."""
    with open(file, "rb") as source:
        while len(head := source.read(_HEAD.size)) == _HEAD.size:
            length, checksum = _HEAD.unpack(head)
            body = source.read(length) if length <= file.stat().st_size else b""
            if len(body) != length or xxhash.xxh3_64_intdigest(body) != checksum:
                return
            try:
                t = decode(_unpack(body))
            except (WireError, struct.error):
                return
            if not isinstance(t, Trajectory):
                return
            yield t, source.tell()
