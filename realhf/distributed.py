"""The process group of a trainer: how it begins, on which clock it waits, and how a rank leaves.

A rank waits for the others in every collective and at most for the clock of the phase it is in: then the collective
raises, the process ends, and whoever started the group (it watches all of them) starts a whole new one on a new port.
"""

import logging
import os
import socket
import sys
from datetime import timedelta

import torch
import torch.distributed as dist


def initialise(rank: int, world_size: int, host: str, port: int, *, timeout_s: float, threads: int = 0) -> torch.device:
    """Join the group at host:port and return this rank's device. rank 0 listens there.

    threads: intra-op CPU threads; 0 leaves torch's choice on a GPU and takes 1 on a CPU. Raises RuntimeError or
    DistStoreError when not all of world_size came in time.
    """
    logging.getLogger("torch.distributed.tensor._redistribute").setLevel(logging.ERROR)  # gathers for export are rare
    on_gpu = torch.cuda.is_available()
    if threads or not on_gpu:
        torch.set_num_threads(threads or 1)
    device = torch.device("cuda", rank % torch.cuda.device_count()) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    clock = timedelta(seconds=timeout_s)
    store = dist.TCPStore(host, port, world_size, is_master=rank == 0, timeout=clock, **(_listen(host, port) if rank == 0 else {}))
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if on_gpu else "gloo", store=store, rank=rank, world_size=world_size, timeout=clock
    )
    return device


def _listen(host: str, port: int) -> dict[str, int]:
    """Where rank 0's store listens: by itself it would on every interface, even when all ranks are on this machine."""
    if not socket.gethostbyname(host).startswith("127."):
        return {}
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen()
    return {"master_listen_fd": listener.detach()}


def set_timeout(timeout_s: float) -> None:
    """Put every group made so far on another clock; groups are made under the one for starting."""
    clock = timedelta(seconds=timeout_s)
    for group in list(dist.distributed_c10d._world.pg_map):
        dist.distributed_c10d._set_pg_timeout(clock, group)


def leave() -> None:
    """End this process with exit code 0 once all ranks got here; raises DistStoreError when one does not come in time.

    Not by a barrier (a rank that is through it closes connections that others still use) but through the store, which
    rank 0 keeps alive until the others are gone. Nor by the interpreter's own shutdown, which aborted with gloo in one
    of nine runs.
    """
    store, others = dist.distributed_c10d._get_default_store(), dist.get_world_size() - 1
    if store.add("arrived", 1) == others + 1:
        store.set("all arrived", "yes")
    store.wait(["all arrived"])
    if dist.get_rank() == 0 and others:
        store.wait(["others gone"])
    elif others and store.add("gone", 1) == others:
        store.set("others gone", "yes")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
