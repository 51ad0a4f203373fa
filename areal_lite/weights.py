"""Weights on their way from the trainer to the generation servers: one flat file and a manifest per version. (The way without
a file, direct.py, has the same manifests.)

A version is written under a temporary name and renamed into place, never changed afterwards, and removed once every
server has acknowledged a newer one. Nobody loads a file whose size, checksum, names, shapes or dtypes differ from
what the manifest and the first version promise: half of the tensors would load without an error.
"""
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import xxhash

DIRECT = "direct://"
"""How the path of a version begins that lies in the trainer's memory."""
ITEM_BYTES = {"float32": 4, "bfloat16": 2}
_ALIGN = 64
_CHUNK = 16 << 20


class WeightsError(ValueError):
    """A published version that must not be loaded; says which file and what is wrong with it."""


class DamagedError(WeightsError):
    """Its file is there and is not what was published: only publishing it again helps."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor of weights.bin, row-major and contiguous."""
    name: str
    """Hugging Face parameter name."""
    dtype: str
    shape: tuple[int, ...]
    offset: int
    """Bytes from the start of the file, and there a multiple of 64."""

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        count = 1
        for n in self.shape:
            count *= n
        return count * ITEM_BYTES[self.dtype]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What weights.bin holds, and a probe that tells whether an engine really computes with it."""
    version: int
    checksum: str
    """xxh3-128 of weights.bin (direct.py: direct.Checksum), hexadecimal. Against damage, not against an adversary."""
    nbytes: int
    entries: tuple[Entry, ...]
    probe_ids: tuple[int, ...]
    """[L] token ids of a fixed sequence; empty when there is no probe."""
    probe_logprobs: tuple[float, ...]
    """[L] the trainer's logprobs of it under these weights at temperature 1, aligned; index 0 is 0."""


def publish(root: str | os.PathLike, version: int, tensors: Iterable[tuple[str, str, tuple[int, ...], memoryview]],
            probe_ids: Iterable[int] = (), probe_logprobs: Iterable[float] = ()) -> tuple[str, str]:
    """Write ROOT/v<version>/ atomically and return (its path, the checksum).

    tensors: (name, dtype word, shape, contiguous buffer) one at a time, so that no full copy is ever held.
    Publishing a version that is already there (a resumed run) replaces it.
    """
    root = Path(root)
    final, tmp = root / f"v{version:08d}", root / f".v{version:08d}.{os.getpid()}"
    shutil.rmtree(tmp, ignore_errors=True)
    tmp.mkdir(parents=True)
    entries, offset, digest = [], 0, xxhash.xxh3_128()
    with open(tmp / "weights.bin", "wb") as out:
        for name, dtype, shape, buffer in tensors:
            entry = Entry(name, dtype, tuple(shape), offset)
            view = memoryview(buffer).cast("B")
            if view.nbytes != entry.nbytes:
                raise WeightsError(f"{name}: {view.nbytes} bytes given for {dtype}{list(shape)}, which takes {entry.nbytes}")
            padding = bytes(-view.nbytes % _ALIGN)
            for piece in (view, padding):
                out.write(piece)
                digest.update(piece)
            entries.append(entry)
            offset += view.nbytes + len(padding)
    manifest = Manifest(version, digest.hexdigest(), offset, tuple(entries), tuple(map(int, probe_ids)),
                        tuple(map(float, probe_logprobs)))
    (tmp / "manifest.json").write_text(json.dumps(asdict(manifest)))
    if final.exists():
        shutil.rmtree(final)
    os.replace(tmp, final)
    return str(final), manifest.checksum


def read_manifest(path: str | os.PathLike) -> Manifest:
    """The manifest of one published version. WeightsError if it is missing, DamagedError if it is malformed."""
    file = Path(path) / "manifest.json"
    try:
        text = file.read_bytes()
    except OSError as error:
        raise WeightsError(f"{file}: not a readable weight manifest ({error})") from error
    return parse_manifest(text, str(file))


def parse_manifest(text: str | bytes, where: str) -> Manifest:
    """The manifest that was written as this JSON. DamagedError naming `where` it is from if it is malformed."""
    try:
        raw = json.loads(text)
        entries = tuple(Entry(e["name"], e["dtype"], tuple(e["shape"]), e["offset"]) for e in raw.pop("entries"))
        manifest = Manifest(**{**raw, "entries": entries, "probe_ids": tuple(raw["probe_ids"]),
                               "probe_logprobs": tuple(raw["probe_logprobs"])})
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise DamagedError(f"{where}: not a readable weight manifest ({error})") from error
    for e in entries:
        if e.dtype not in ITEM_BYTES or e.offset < 0 or e.offset + e.nbytes > manifest.nbytes:
            raise WeightsError(f"{where}: entry {e.name} ({e.dtype}{list(e.shape)} at {e.offset}) does not fit the file")
    return manifest


def verify(path: str | os.PathLike, manifest: Manifest, checksum: str) -> None:
    """Raise WeightsError unless weights.bin has the promised size and checksum, DamagedError if it is there. Reads it once."""
    file = Path(path) / "weights.bin"
    if manifest.checksum != checksum:
        raise WeightsError(f"{file}: the manifest's checksum {manifest.checksum} is not the update's {checksum}")
    try:
        size = file.stat().st_size
        if size != manifest.nbytes:
            raise DamagedError(f"{file}: {size} bytes, the manifest says {manifest.nbytes}")
        digest = xxhash.xxh3_128()
        for piece in _pieces(file):
            digest.update(piece)
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read ({error})") from error
    if digest.hexdigest() != checksum:
        raise DamagedError(f"{file}: checksum {digest.hexdigest()}, expected {checksum}; the file is damaged")


def check_same_shape(first: Manifest, later: Manifest) -> None:
    """Raise WeightsError unless both versions hold the same tensors: names, dtypes, shapes, in order."""
    a = [(e.name, e.dtype, e.shape) for e in first.entries]
    b = [(e.name, e.dtype, e.shape) for e in later.entries]
    if a == b:
        return
    odd = sorted({n for n, _, _ in set(a) ^ set(b)})[:3]
    raise WeightsError(f"version {later.version} holds {len(b)} tensors, version {first.version} held {len(a)}; "
                       f"they differ in {', '.join(odd) or 'their order'}")


def retire(root: str | os.PathLike, keep_from: int) -> list[int]:
    """Remove the versions below keep_from and return them. Only after every server has acknowledged keep_from or newer."""
    gone = []
    for directory in sorted(d for d in Path(root).glob("v*") if d.name[1:].isdigit()):
        version = int(directory.name[1:])
        if version < keep_from:
            shutil.rmtree(directory, ignore_errors=True)
            gone.append(version)
    return gone


def _pieces(file: Path) -> Iterator[bytes]:
    with open(file, "rb") as source:
        while piece := source.read(_CHUNK):
            yield piece
