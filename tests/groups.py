"""Groups of ranks for tests: `run_ranks(function, n, ...)` calls it in n processes that form a process group.

Processes are forked from one server that has imported torch and transformers once (12 s; then 0.5 s per group). Every
group gets a fresh port and a clock; the first rank that dies ends the group, and its traceback is the test's failure.
"""

import multiprocessing
import os
import socket
import time
import traceback
from multiprocessing.connection import wait

CLOCK_S = 60.0
"""Of every collective; a hang shows within it."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["torch", "transformers", "realhf.engine"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_ranks(function, world_size: int, *arguments, timeout_s: float = 240.0, gpu: bool = False) -> list:
    """function(device, *arguments) in every rank of a new group -> what each returned, by rank. On the CPU unless `gpu`.

    Raises AssertionError with the rank's traceback when one fails, dies or does not end in time.
    """
    port = free_port()
    ranks, pipes = [], []
    for rank in range(world_size):
        mine, theirs = _context.Pipe(duplex=False)
        process = _context.Process(target=_rank, args=(theirs, function, rank, world_size, port, arguments, gpu))
        process.start()
        theirs.close()
        ranks.append(process)
        pipes.append(mine)
    try:
        results = _collect(ranks, pipes, time.monotonic() + timeout_s)
        for process in ranks:
            process.join(CLOCK_S)
        assert [process.exitcode for process in ranks] == [0] * world_size, "a rank did not leave cleanly"
        return results
    finally:
        for process in ranks:
            if process.is_alive():
                process.kill()
            process.join()


def _collect(ranks, pipes, deadline: float) -> list:
    results: dict[int, object] = {}
    while len(results) < len(ranks):
        open_pipes = [pipe for rank, pipe in enumerate(pipes) if rank not in results]
        ready = wait(open_pipes, max(0.0, deadline - time.monotonic()))
        assert ready, f"ranks {sorted(set(range(len(ranks))) - results.keys())} did not end in time"
        for pipe in ready:
            rank = pipes.index(pipe)
            try:
                failure, results[rank] = pipe.recv()
            except EOFError:
                raise AssertionError(f"rank {rank} died without a word") from None
            assert failure is None, f"rank {rank} failed:\n{failure}"
    return [results[rank] for rank in range(len(ranks))]


def _rank(pipe, function, rank: int, world_size: int, port: int, arguments, gpu: bool) -> None:
    from realhf.distributed import initialise, leave

    if not gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        device = initialise(rank, world_size, "127.0.0.1", port, timeout_s=CLOCK_S)
        answer = (None, function(device, *arguments))
    except BaseException:
        pipe.send((traceback.format_exc(), None))
        os._exit(1)
    pipe.send(answer)
    leave()
