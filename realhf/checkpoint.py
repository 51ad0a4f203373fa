"""Recovery checkpoints: sharded, independent of the layout, whole or absent.

A checkpoint is a directory of torch.distributed.checkpoint files and extra.json. It is written under another name and
renamed when every rank is done, so a directory with its final name is complete. It holds the checksums of its files, since
torch.distributed.checkpoint loads damaged numbers without a word. Saving may go on in the background: the state is copied
first, so training may change it at once.
"""

import json
import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
import xxhash

EXTRA, SUMS = "extra.json", "sums.json"
UNREADABLE = ".unreadable"
"""Put behind the name of a checkpoint to take it out of use."""
READERS = 8
"""Files of a checkpoint that rank 0 reads at once for their checksums, when all are written."""


class Saver:
    """Writes one checkpoint at a time. All ranks call the same methods in the same order.

    The background thread speaks on a group of its own: collectives of two threads on one group would meet each other's.
    """

    def __init__(self):
        self.group = dist.new_group(backend="gloo")
        self.pending: Future | None = None

    def start(self, path: str, tensors: dict[str, torch.Tensor], extra: dict) -> None:
        """Begin saving; an earlier save is finished first. extra must be JSON; rank 0's is kept."""
        self.wait()
        final = Path(path)
        partial = final.with_name(final.name + ".partial")
        if dist.get_rank() == 0:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            (partial / EXTRA).write_text(json.dumps(extra))
        dist.barrier(self.group)
        future = dcp.async_save(tensors, checkpoint_id=str(partial), process_group=self.group)
        self.pending = _then(future, partial, final) if dist.get_rank() == 0 else future

    def wait(self) -> None:
        """Until the checkpoint is complete under its final name. Raises what went wrong while it was written."""
        if self.pending is None:
            return
        future, self.pending = self.pending, None
        future.result()
        dist.barrier(self.group)


def _then(written: Future, partial: Path, final: Path) -> Future:
    """A future that is done when the written checkpoint also has its final name, even if nobody waits for it."""
    named: Future = Future()

    def publish(done: Future) -> None:
        try:
            done.result()
            _publish(partial, final)
            named.set_result(None)
        except BaseException as error:  # whatever it was, whoever waits is told
            named.set_exception(error)

    written.add_done_callback(publish)
    return named


def _publish(partial: Path, final: Path) -> None:
    replaced = final.with_name(final.name + ".replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    files = sorted(partial.iterdir())
    with ThreadPoolExecutor(READERS) as readers:
        (partial / SUMS).write_text(json.dumps({f.name: s for f, s in zip(files, readers.map(_checksum, files), strict=True)}))
    if final.exists():
        os.replace(final, replaced)
    os.replace(partial, final)
    shutil.rmtree(replaced, ignore_errors=True)


def load(path: str, tensors: dict[str, torch.Tensor], group: dist.ProcessGroup) -> dict:
    """Fill tensors in place from a checkpoint made under any layout, and return its extra. Collective over group, of all ranks
    and on the host.

    Raises ValueError on every rank when `path` is no complete checkpoint, or when a file is not as it was saved.
    """
    extra = _verify(Path(path), group)
    dcp.load(tensors, checkpoint_id=path)
    return extra


def _verify(path: Path, group: dist.ProcessGroup) -> dict:
    """Compare every file with its checksum, the ranks sharing the reading; the extra. ValueError on every rank."""
    extra, sums, why = {}, {}, ""
    try:
        extra, sums = (json.loads((path / name).read_text()) for name in (EXTRA, SUMS))
    except (OSError, ValueError) as error:
        why = str(error)
    readable = torch.tensor([int(not why)])
    dist.all_reduce(readable, dist.ReduceOp.MIN, group=group)
    if not readable.item():
        raise ValueError(f'"{path}" is not a complete checkpoint ({why or "another rank cannot read it"}); give one that a finished '
                         "save wrote")
    names = sorted(sums)
    damaged = torch.zeros(len(names), dtype=torch.int32)
    for n in range(dist.get_rank(), len(names), dist.get_world_size()):
        damaged[n] = not _sound(path / names[n], sums[names[n]])
    dist.all_reduce(damaged, group=group)
    if damaged.any():
        raise ValueError(f'"{path}" is damaged: {", ".join(n for n, bad in zip(names, damaged, strict=True) if bad)}')
    return extra


def _sound(file: Path, checksum: str) -> bool:
    """The file can be read and is as it was saved."""
    try:
        return _checksum(file) == checksum
    except OSError:
        return False


def _checksum(file: Path) -> str:
    """xxh3-128, hexadecimal; against damage, not against an adversary."""
    digest = xxhash.xxh3_128()
    with open(file, "rb") as source:
        while piece := source.read(16 << 20):
            digest.update(piece)
    return digest.hexdigest()


def complete(root: str) -> list[Path]:
    """Finished checkpoints in `root`, oldest first by name (so name them with leading zeros)."""
    return sorted(p.parent for p in Path(root).glob(f"*/{EXTRA}") if not p.parent.suffix)


def retire(root: str, keep: int) -> None:
    """Delete all but the newest `keep` finished checkpoints. For one rank to call, after a save is complete.

    Raises ValueError for keep < 1: the newest one is what a restart needs.
    """
    if keep < 1:
        raise ValueError(f"keep is {keep}; keep at least 1 checkpoint")
    for path in complete(root)[:-keep]:
        shutil.rmtree(path)
