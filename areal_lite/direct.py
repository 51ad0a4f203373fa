"""Weights from the trainer's memory into the memory of a server's vLLM workers, without a file: weights_transport=direct.

A server asks trainer/feeder.py (JSON through its TCPStore) and waits for its turn. Then trainer rank 0 and the workers of that
server form a process group of their own, so that one that dies breaks nobody else's; the tensors are broadcast in the order
of the manifest and loaded as they come. At the end all agree whether every worker holds what was promised; if not,
everything is sent once more. Nothing here waits longer than the clock it is given. A trainer that dies in the middle takes that
server with it, for nobody could finish its weights; both are started again. SECURITY.md says who is trusted.
"""
import json
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
import xxhash

from areal_lite.weights import DIRECT, Manifest, WeightsError, parse_manifest

TRIES = 2
POLL_S = 0.01
_ROW = 4096
"""Bytes of a row of the grid that a checksum is taken over."""


class Checksum:
    """Of tensors in order: exact, the same on every device, and read there at the speed of its memory.

    The bytes of a tensor, zeros after them, are a grid of 64-bit words with 512 columns. Its row sums and column sums
    modulo 2^64 go to the host and through xxh3-128. One flipped bit changes a row sum; two words that were swapped change
    a row sum or, inside a row, a column sum.
    """

    def __init__(self):
        self._sums: list[torch.Tensor] = []

    def add(self, tensor: torch.Tensor) -> None:
        """The next tensor; contiguous, any dtype and shape."""
        raw = _bytes(tensor)
        whole = len(raw) // _ROW * _ROW
        grid = raw[:whole].view(torch.int64).view(-1, _ROW // 8)
        last = torch.nn.functional.pad(raw[whole:], (0, _ROW - len(raw) + whole)).view(torch.int64)
        self._sums += [grid.sum(1), last.sum()[None], grid.sum(0) + last]

    def hexdigest(self) -> str:
        """Of all tensors so far, 32 digits."""
        sums = torch.cat(self._sums) if self._sums else torch.zeros(0, dtype=torch.int64)
        return xxhash.xxh3_128(sums.cpu().numpy()).hexdigest()


@dataclass(frozen=True, slots=True)
class Ask:
    """A server wants a version."""
    id: str
    """Names the keys of the answer."""
    name: str
    workers: int
    version: int
    group: int
    """The process group its workers are in already; 0 for none."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The trainer waits for this server's workers, to send them this."""
    path: str
    """direct://host:port/GROUP"""
    manifest: Manifest


def connect(path: str, clock_s: float) -> dist.TCPStore:
    """The trainer's store at direct://host:port. OSError when it cannot be reached."""
    host, _, port = path.removeprefix(DIRECT).partition("/")[0].rpartition(":")
    socket.create_connection((host, int(port)), clock_s).close()   # the store itself would try again, loudly, until its clock ends
    try:
        return dist.TCPStore(host, int(port), is_master=False, wait_for_workers=False, timeout=timedelta(seconds=clock_s))
    except dist.DistError as error:
        raise ConnectionError(str(error)) from error


def ask(path: str, version: int, name: str, workers: int, group: int, clock_s: float) -> Offer | None:
    """Wait in line for `version`; None when the trainer holds another one by now. OSError when it does not answer in time
    or is gone, WeightsError when the answer is no manifest."""
    end, wanted = time.monotonic() + clock_s, Ask(uuid.uuid4().hex, name, workers, version, group)
    try:
        store = connect(path, clock_s)
        store.queue_push("asks", json.dumps(asdict(wanted)))
        while not store.check([wanted.id]):
            if time.monotonic() > end:
                raise TimeoutError(f"{path} did not offer version {version} to {name} within {clock_s:g} s")
            time.sleep(POLL_S)
        answer = json.loads(store.get(wanted.id))
        store.set(f"{wanted.id} taken", "")
    except dist.DistError as error:
        raise ConnectionError(f"{path} broke off: {str(error).splitlines()[0]}") from error
    if not answer["manifest"]:
        return None
    return Offer(f"{path}/{answer['group']}", parse_manifest(answer["manifest"], path))


def raise_at_wait() -> None:
    """Have the NCCL groups that are made from now on raise errors where they are waited for; by default a peer's death ends
    this process too. Where there are threads, before them: they read the environment."""
    os.environ.setdefault("TORCH_NCCL_BLOCKING_WAIT", "1")


class Group:
    """Trainer rank 0 (rank 0) and the vLLM workers of one server (ranks 1, 2, ...). Broken for good after any RuntimeError."""

    def __init__(self, path: str, rank: int, size: int, device: torch.device, clock_s: float):
        """Join direct://host:port/GROUP; all `size` have to come in time. OSError or RuntimeError when they do not."""
        self.path, self._device, self._clock = path, device, timedelta(seconds=clock_s)
        store = dist.PrefixStore(path.rpartition("/")[2], connect(path, clock_s))
        store.set(f"{rank} is here", "")
        store.wait([f"{r} is here" for r in range(size)], self._clock)     # NCCL's own meeting has no clock
        if device.type == "cuda":
            raise_at_wait()
            options = dist.ProcessGroupNCCL.Options()
            options._timeout = self._clock
            self._backend = dist.ProcessGroupNCCL(store, rank, size, options)
        else:
            self._backend = dist.ProcessGroupGloo(store, rank, size, self._clock)

    def send(self, tensors: list[torch.Tensor]) -> None:
        """The trainer's part of one transfer. RuntimeError when a worker is gone or too slow, WeightsError when they could
        not load it."""
        for _ in range(TRIES):
            for tensor in tensors:
                self._broadcast(_bytes(tensor))
            if self._agreed(True):
                return
        raise WeightsError(f"the workers did not load what was sent {TRIES} times; their server says why")

    def receive(self, manifest: Manifest, load: Callable[[Iterator[tuple[str, torch.Tensor]]], None]) -> None:
        """A worker's part: load(tensors by name, one at a time), until what came has the manifest's checksum.

        RuntimeError when the trainer is gone or too slow, WeightsError when it failed as often as it was tried; what is
        loaded must not be used then.
        """
        for _ in range(TRIES):
            why, checksum = None, Checksum()
            coming = self._coming(manifest, checksum)
            try:
                load(coming)
            except Exception as error:             # vLLM's many kinds: the others wait for this worker all the same
                why = error
            for _ in coming:
                pass
            summed = checksum.hexdigest()
            if self._agreed(why is None and summed == manifest.checksum):
                return
        said = why or ("another worker could not load it" if summed == manifest.checksum
                       else f"the checksum of what came is {summed}, expected {manifest.checksum}")
        raise WeightsError(f"version {manifest.version} from {self.path}, sent {TRIES} times: {said}") from why

    def _coming(self, manifest: Manifest, checksum: Checksum) -> Iterator[tuple[str, torch.Tensor]]:
        for e in manifest.entries:                 # each into memory of its own: vLLM keeps them until a layer is whole
            tensor = torch.empty(e.shape, dtype=getattr(torch, e.dtype), device=self._device)
            self._broadcast(_bytes(tensor))
            checksum.add(tensor)
            yield e.name, tensor

    def _broadcast(self, raw: torch.Tensor) -> None:
        self._backend.broadcast(raw, 0).wait(self._clock)

    def _agreed(self, well: bool) -> bool:
        """Whether all of the group say so."""
        flag = torch.tensor([int(well)], dtype=torch.int32, device=self._device)
        self._backend.allreduce(flag, dist.ReduceOp.MIN).wait(self._clock)
        return bool(flag.item())


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.view(-1).view(torch.uint8)
