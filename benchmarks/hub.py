"""What the master's hub and scheduler cost: python -m benchmarks.hub [--tokens 24576] [--senders 3] [--servers 1024]

Two measurements on this machine. `wire`: sender processes push scored trajectories through encode, CURVE sockets, decode
and make_batches; bar: 500 a second. Its floor is one memory copy of the same bytes, measured in the same run.
`step`: one whole training step of 1,024 prompts x 8 answers in the real scheduler with that many servers, every message
but the sockets; where its seconds go, and how much memory it holds.
"""
import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from areal_lite.master.batch import make_batches
from areal_lite.master.evaluation import EvaluationRounds
from areal_lite.master.metrics import batch_metrics
from areal_lite.master.rules import Rules
from areal_lite.master.scheduler import Scheduler
from areal_lite.master.status import status
from areal_lite.streams import Hub, Spoke, encode, make_keys, read_keys
from areal_lite.types import Batch, Hello, Loaded, Prompt, Ticket, Trajectory, Update

BAR = 500
GROUP = 8
PROMPT = Prompt("p", np.zeros(150, np.int32), ("1",))


def trajectory(ticket_k: int, sample: int, tokens: int, version: int = 0) -> Trajectory:
    """An answer with memory of its own: 12 bytes a token."""
    return Trajectory(ticket_k, 0, sample, "train", PROMPT.token_ids, np.ones(tokens, np.int32), np.ones(tokens, np.float32),
                      np.full(tokens, version, np.int32), "stop", 5.0, "correct", "1", 1.0)


# -- the wire ---------------------------------------------------------------------------------------------------------------


def send(address: str, folder: str, index: int, first: int, groups: int, tokens: int, started) -> None:
    """A sender process: `groups` groups as fast as its spoke takes them."""
    spoke = Spoke(address, f"generation-{index}", read_keys(Path(folder)))
    spoke.send(Hello("generation", index, os.getpid(), 0))
    answers = [trajectory(0, i, tokens) for i in range(GROUP)]
    started.wait()
    for k in range(first, first + groups):
        for i, a in enumerate(answers):
            spoke.send(Trajectory(k, 0, i, "train", a.prompt_ids, a.output_ids, a.logprobs, a.versions, a.finish, a.reward,
                                  a.outcome, a.answer, a.seconds))
    spoke.close()


def io_seconds() -> float:
    """CPU seconds of the threads of this process besides the one that asks (libzmq decrypts in one of them)."""
    tick, total = os.sysconf("SC_CLK_TCK"), 0.0
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) != threading.get_native_id():
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            total += (int(fields[11]) + int(fields[12])) / tick
    return total


def wire(tokens: int, senders: int, groups: int) -> dict[str, float]:
    """Seconds a trajectory takes on the wall, in the hub's own thread and in libzmq's; and the floor."""
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub("tcp://127.0.0.1:*", make_keys(folder))
        context = multiprocessing.get_context("spawn")
        started, each = context.Event(), groups // senders
        processes = [context.Process(target=send, args=(hub.address, folder, i, i * each, each, tokens, started))
                     for i in range(senders)]
        for p in processes:
            p.start()
        there: set[str] = set()
        while len(there) < senders:
            if got := hub.receive(1.0):
                there.add(got[0])
        whole, total = {}, each * senders * GROUP
        started.set()
        begin, own, other, n, batches = None, 0.0, 0.0, 0, 0
        while n < total:
            got = hub.receive(1.0)
            if begin is None:
                begin, own, other = time.monotonic(), time.thread_time(), io_seconds()
            if got is None or not isinstance(got[1], Trajectory):
                continue
            n += 1
            whole.setdefault(got[1].k, []).append(got[1])
            if n % (32 * GROUP) == 0:
                ready = [whole.pop(k) for k in [k for k, g in whole.items() if len(g) == GROUP]]
                batches += len(make_batches(ready, 0, 8, 1))
        wall = time.monotonic() - begin
        own, other = time.thread_time() - own, io_seconds() - other
        for p in processes:
            p.join(60)
        hub.close(0)
    return {"wall": wall / n, "python": own / n, "libzmq": other / n, "floor": copy_seconds(tokens, 256)}


def copy_seconds(tokens: int, answers: int) -> float:
    """Seconds to copy the arrays of one trajectory into memory that is already there; the median of three."""
    source = [np.ones(3 * tokens, np.int32) for _ in range(answers)]
    target = [np.zeros(3 * tokens, np.int32) for _ in range(answers)]
    times = []
    for _ in range(3):
        begin = time.monotonic()
        for a, b in zip(source, target, strict=True):
            np.copyto(b, a)
        times.append((time.monotonic() - begin) / answers)
    return statistics.median(times)


# -- a step in the scheduler ------------------------------------------------------------------------------------------------


class Stopwatch:
    """Seconds by name."""

    def __init__(self):
        self.seconds: dict[str, float] = {}

    def __call__(self, name, function, *args):
        begin = time.perf_counter()
        out = function(*args)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin
        return out


def step(tokens: int, servers: int, prompts: int, steps: int, staleness: int) -> dict[str, float]:
    """Seconds per step by what they went into, with every trajectory of the open steps in memory."""
    per_server = max(GROUP, prompts * GROUP // servers)
    s = Scheduler(lambda k: PROMPT, Rules(prompts, GROUP, staleness, 4, steps, 1, lambda rank: rank, 8),
                  EvaluationRounds(lambda k: PROMPT, 0, 1, 0))
    watch, messages = Stopwatch(), 0
    s.on("trainer-0", Hello("trainer", 0, 1))
    s.on("trainer-0", Update(0, "", ""))
    pending: list[tuple[str, object]] = []
    for i in range(servers):
        pending += s.on(f"generation-{i}", Hello("generation", i, 1, per_server))
    while pending:
        later: list[tuple[str, object]] = []
        order = np.random.default_rng(0).permutation(len(pending))   # answers come in any order
        for peer, m in (pending[i] for i in order):
            match m:
                case Ticket():
                    for sample in m.samples:
                        answer = trajectory(m.k, sample, tokens, s.live)
                        later += watch("trajectories", s.on, peer, answer)
                        messages += 1
                        if messages % 4096 == 0:
                            watch("status, twice a step", status, s)
                case Update():
                    later += watch("acknowledged updates", s.on, peer, Loaded(m.version, "", 0.0, 0.0))
                    messages += 1
                case Batch():
                    watch("metrics", batch_metrics, s.training, m.step)
                    watch("encode the batch", encode, m)
                    later += watch("new version", s.on, peer, Update(m.step + 1, "", ""))
                    messages += 1
        pending = later
    assert s.version == steps, "the run did not end"
    return {**{k: v / steps for k, v in watch.seconds.items()}, "messages": messages / steps}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hub", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=24576, help="of an answer on the wire (default %(default)s)")
    parser.add_argument("--senders", type=int, default=3, help="processes (default %(default)s)")
    parser.add_argument("--groups", type=int, default=384, help="groups of 8 answers sent over the wire (default %(default)s)")
    parser.add_argument("--servers", type=int, default=1024, help="of the scheduler's part (default %(default)s)")
    parser.add_argument("--prompts", type=int, default=1024, help="per step of the scheduler's part (default %(default)s)")
    parser.add_argument("--steps", type=int, default=2, help="of the scheduler's part (default %(default)s)")
    parser.add_argument("--staleness", type=int, default=0, help="max_staleness of the scheduler's part (default %(default)s)")
    options = parser.parse_args()
    w = wire(options.tokens, options.senders, options.groups)
    cpu = w["python"] + w["libzmq"]
    rate = 1 / w["wall"]
    print(f"wire: {rate:.0f} trajectories/s of {options.tokens} tokens ({rate * options.tokens * 12 / 1e6:.0f} MB/s), bar {BAR}: "
          f"{'met' if rate >= BAR else 'MISSED'}")
    print(f"  hub's CPU: {1e3 * cpu:.2f} ms each ({1e3 * w['python']:.2f} Python, {1e3 * w['libzmq']:.2f} libzmq with decryption): "
          f"{cpu * BAR:.0%} of a core at {BAR}/s")
    print(f"  floor, one memory copy of the same bytes: {1e3 * w['floor']:.3f} ms; measured / floor = {cpu / w['floor']:.1f}", flush=True)
    t = step(options.tokens, options.servers, options.prompts, options.steps, options.staleness)
    n = t.pop("messages")
    print(f"step: {options.prompts} x {GROUP} answers, {options.servers} servers, {n:.0f} messages in {sum(t.values()):.2f} s "
          f"({n / sum(t.values()):.0f}/s); peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB "
          f"(of it trajectories: {options.prompts * GROUP * options.tokens * 12 / 2**30:.2f} GiB a step)")
    for name, seconds in sorted(t.items(), key=lambda item: -item[1]):
        print(f"  {name:24} {seconds:8.3f} s")


if __name__ == "__main__":
    main()
