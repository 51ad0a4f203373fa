"""Trainer rank 0's end of weights_transport=direct: holds the newest version and sends it to every server that asks.

Waits for asks in a thread of its own, for each server in another, always with a clock; training goes on meanwhile. What is
being sent is never overwritten: a new version takes new memory, and the old one's is free when its last transfer ends.
A server that dies or hangs ends its own transfer; whoever comes later is served as if it had always been there.
"""
import contextlib
import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta

import torch
import torch.distributed as dist

from areal_lite.direct import Ask, Checksum, Group, connect, raise_at_wait
from areal_lite.weights import DIRECT, Entry, Manifest, WeightsError

LISTEN_S = 0.03
TURNS = 2
"""Transfers at once: a server is paused during its own, so the fewer share the wire the better; one that hangs takes a turn."""
TAKEN_S = 10.0
"""In which a server that is offered its turn says that it is still there."""


class Feeder:
    """Listens on one address from the first version to the last."""

    def __init__(self, host: str, device: torch.device, clock_s: float):
        """host: this node's address, as the servers reach it. device: where the versions lie. clock_s: of every wait, of
        which a transfer has one for each tensor."""
        self._device, self._clock_s = device, clock_s
        if device.type == "cuda":
            raise_at_wait()
        listener = socket.create_server((host, 0))         # by itself the store would listen on every interface
        port = listener.getsockname()[1]
        self._store = dist.TCPStore(host, port, is_master=True, wait_for_workers=False, timeout=timedelta(seconds=clock_s),
                                    master_listen_fd=listener.detach())
        self.path = f"{DIRECT}{host}:{port}"
        self._held: tuple[Manifest, list[torch.Tensor]] | None = None
        self._news = threading.Condition()
        self._turns = threading.BoundedSemaphore(TURNS)
        self._numbers = itertools.count(time.time_ns())    # never those of a feeder before this one
        self._groups: dict[str, tuple[int, Group]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True, name="feeder")
        self._thread.start()

    def publish(self, version: int, dtype: str, tensors: Iterable[tuple[str, torch.Tensor]], probe_ids: Iterable[int] = (),
                probe_logprobs: Iterable[float] = ()) -> tuple[str, str]:
        """Take the tensors (they are kept, not copied) as the newest version; (where servers ask, the checksum).

        dtype: the word for theirs. Who asks meanwhile waits; who waits for an older version is told that it is gone.
        """
        assert self._thread.is_alive(), "the feeder's thread has died; its last words are above"
        with self._news:
            self._held = None                              # its memory is the new one's
        entries, kept, checksum, offset = [], [], Checksum(), 0
        for name, tensor in tensors:
            kept.append(tensor.contiguous())
            checksum.add(kept[-1])
            entries.append(Entry(name, dtype, tuple(tensor.shape), offset))
            offset += entries[-1].nbytes
        manifest = Manifest(version, checksum.hexdigest(), offset, tuple(entries), tuple(map(int, probe_ids)),
                            tuple(map(float, probe_logprobs)))
        with self._news:
            self._held = manifest, kept
            self._news.notify_all()
        return self.path, manifest.checksum

    def close(self) -> None:
        """Nobody asks any more."""
        self._closed.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._closed.wait(LISTEN_S):
            while self._store.queue_len("asks"):
                try:
                    asked = Ask(**json.loads(self._store.queue_pop("asks")))
                except (ValueError, TypeError) as error:
                    print(f"feeder: not an ask: {error}", file=sys.stderr, flush=True)
                    continue
                threading.Thread(target=self._serve, args=(asked,), daemon=True, name=f"feeder of {asked.name}").start()

    def _serve(self, asked: Ask) -> None:
        """Offer and send, when it is this server's turn. What goes wrong is said, and ends nothing but this transfer."""
        began, turn = time.monotonic(), self._turns.acquire(timeout=3 * self._clock_s)     # as long as a server asks
        try:
            if not turn:
                raise TimeoutError(f"no turn within {3 * self._clock_s:g} s")
            self._feed(asked)
        except (RuntimeError, OSError, WeightsError) as error:
            self._groups.pop(asked.name, None)
            print(f"feeder: version {asked.version} did not reach {asked.name} ({time.monotonic() - began:.1f} s): "
                  f"{str(error).splitlines()[0]}", file=sys.stderr, flush=True)
        finally:
            if turn:
                self._turns.release()

    def _feed(self, asked: Ask) -> None:
        store = connect(self.path, self._clock_s)          # of its own: a store answers one wait at a time
        with self._news:
            if not self._news.wait_for(lambda: self._held, self._clock_s):
                raise TimeoutError(f"no version was published within {self._clock_s:g} s")
            manifest, tensors = self._held
        number, group = self._groups.get(asked.name, (0, None))
        if not number or number != asked.group:
            number, group = next(self._numbers), None
        there = manifest.version == asked.version
        store.set(asked.id, json.dumps({"group": number, "manifest": json.dumps(asdict(manifest)) if there else ""}))
        store.wait([f"{asked.id} taken"], timedelta(seconds=TAKEN_S))
        for key in (asked.id, f"{asked.id} taken"):
            store.delete_key(key)
        if not there:
            return
        on_gpu = self._device.type == "cuda"               # beside the stream on which the training goes on
        with torch.cuda.stream(torch.cuda.Stream(self._device)) if on_gpu else contextlib.nullcontext():
            group = group or Group(f"{self.path}/{number}", 0, 1 + asked.workers, self._device, self._clock_s)
            group.send(tensors)
        self._groups[asked.name] = number, group
