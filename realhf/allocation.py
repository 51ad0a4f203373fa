"""Allocation strings: text in, layouts out. Pure, without torch, so that launchers and planners can read them too.

    vllm.d64p1m1+d32p2m1      64 one-GPU servers, and a trainer of 32 data-parallel ranks x 2 pipeline stages
    vllm.d2t4+d2r2t2c2        named dims; m is another name of t, a dim that is left out is 1

d: FSDP shards, r: replicas of them (HSDP), t or m: tensor + sequence parallel, c: Ulysses context parallel,
p: pipeline stages. On the generation side d counts servers and t x p GPUs make one server.
"""

import re
from dataclasses import dataclass, replace

_DIM = re.compile(r"([a-z])(\d+)")
_COLOCATED = re.compile(r"actor_gen:([a-z0-9]+),\*:([a-z0-9]+)")


@dataclass(frozen=True)
class Layout:
    """Sizes of the parallel dims of one side. Ranks are numbered with t fastest, then c, d, r, p."""

    d: int = 1
    r: int = 1
    t: int = 1
    c: int = 1
    p: int = 1

    @property
    def world_size(self) -> int:
        return self.d * self.r * self.t * self.c * self.p

    @property
    def data_parallel(self) -> int:
        """Ranks (or groups of t x c x p ranks) that see different data."""
        return self.d * self.r

    def data_parallel_rank(self, rank: int) -> int:
        """Which share of the data a global rank works on, in [0, data_parallel)."""
        return rank // (self.t * self.c) % self.data_parallel

    def stage(self, rank: int) -> int:
        """Pipeline stage of a global rank."""
        return rank // (self.t * self.c * self.data_parallel)

    def __str__(self) -> str:
        rare = "".join(f"{name}{size}" for name, size in (("r", self.r), ("c", self.c)) if size > 1)
        return f"d{self.d}{rare}p{self.p}m{self.t}"


@dataclass(frozen=True)
class Allocation:
    """Which GPUs generate and which train; the sides share none."""

    generation: Layout
    training: Layout

    def __str__(self) -> str:
        return f"vllm.{self.generation}+{self.training}"


def parse_layout(text: str) -> Layout:
    """Read the dims of one side, e.g. "d32p2m1". Raises ValueError naming the part that is wrong."""
    sizes: dict[str, int] = {}
    rest = text
    while rest:
        found = _DIM.match(rest)
        if found is None:
            raise ValueError(
                f'allocation "{text}": cannot read "{rest}"; write letters with numbers, such as d4t2 '
                "(d data, r replicas, t or m tensor, c context, p pipeline)"
            )
        letter, size = "t" if found[1] == "m" else found[1], int(found[2])
        if letter not in "drtcp":
            raise ValueError(
                f'allocation "{text}": "{found[0]}" names no dim; choose from d (data), r (replicas), '
                "t or m (tensor), c (context), p (pipeline)"
            )
        if letter in sizes:
            raise ValueError(f'allocation "{text}": {letter} is given twice, as {sizes[letter]} and as {size}')
        if size < 1:
            raise ValueError(f'allocation "{text}": {found[0]} must be at least {found[1]}1')
        sizes[letter] = size
        rest = rest[found.end() :]
    if not sizes:
        raise ValueError("allocation: one side is empty; write for example vllm.d1p1m1+d1p1m1")
    return Layout(**sizes)


def parse(text: str) -> Allocation:
    """Read a decoupled allocation string.

    Raises ValueError for anything else; for the published colocated form it names the decoupled string to use.
    """
    colocated = _COLOCATED.fullmatch(text)
    if colocated:
        generation, training = parse_layout(colocated[1]), parse_layout(colocated[2])
        raise ValueError(
            f'allocation "{text}" lets generation and training take turns on the same {training.world_size} GPUs, '
            f'which is not done here; give each side its own GPUs: "{_decouple(generation, training)}"'
        )
    backend, dot, sides = text.partition(".")
    if not dot or backend != "vllm":
        raise ValueError(f'allocation "{text}" must start with "vllm.", for example vllm.d64p1m1+d32p2m1')
    parts = sides.split("+")
    if len(parts) != 2:
        raise ValueError(
            f'allocation "{text}" has {len(parts)} sides; write GENERATION+TRAINING, for example vllm.d64p1m1+d32p2m1'
        )
    generation, training = parse_layout(parts[0]), parse_layout(parts[1])
    for letter in "rc":
        if getattr(generation, letter) > 1:
            raise ValueError(
                f'allocation "{text}": {letter}{getattr(generation, letter)} means nothing for generation; '
                "use d (servers), t or m (GPUs of one server) and p"
            )
    return Allocation(generation, training)


def _decouple(generation: Layout, training: Layout) -> Allocation:
    """Halve each side's d, so that both fit where each had everything; a d of 1 stays."""
    return Allocation(*(replace(side, d=max(1, side.d // 2)) for side in (generation, training)))


def check_cluster(allocation: Allocation, nodes: int, gpus_per_node: int) -> None:
    """Refuse an allocation that does not fill the cluster exactly or cuts a server or tensor group over nodes.

    Raises ValueError with the offending number and the nearest choice that would be accepted.
    """
    if nodes * gpus_per_node == 1:
        raise ValueError("generation and training take at least one GPU each; one GPU alone cannot run this")
    generation, training = allocation.generation, allocation.training
    server = generation.t * generation.p
    for name, size in (("t x p of one server", server), ("t of the trainer", training.t)):
        if gpus_per_node % size:
            raise ValueError(
                f'allocation "{allocation}": {name} is {size}, which does not divide the {gpus_per_node} GPUs '
                f"of a node; nearest: {nearest_divisor(size, gpus_per_node)}"
            )
    wanted, there = generation.world_size + training.world_size, nodes * gpus_per_node
    if wanted == there:
        return
    unit = training.world_size // training.d
    choices = [
        replace(allocation, generation=replace(generation, d=servers), training=replace(training, d=left // unit))
        for servers in range(1, there // server + 1)
        if (left := there - servers * server) > 0 and left % unit == 0
    ]
    fits = nodes == 1 and wanted % server == 0 and wanted % training.t == 0
    share = generation.world_size / wanted
    nearest = min(choices, key=lambda a: abs(a.generation.world_size / there - share), default=None)
    raise ValueError(
        f'allocation "{allocation}" takes {wanted} GPUs ({generation.world_size} to generate, {training.world_size} '
        f"to train), but {nodes} node(s) x {gpus_per_node} are {there}; "
        + (f'nearest: "{nearest}"' if nearest else "no d of either side makes it fit: lower t, c, r or p")
        + (f", or cluster.gpus_per_node={wanted} when a node has (or should use) so many" if fits else "")
    )


def check_model(layout: Layout, *, heads: int, kv_heads: int, intermediate: int, vocab: int, layers: int) -> None:
    """Refuse a training layout that cannot cut this model. Raises ValueError with the nearest valid size."""
    for what, size in (
        ("attention heads", heads),
        ("key-value heads", kv_heads),
        ("intermediate size", intermediate),
        ("vocabulary", vocab),
    ):
        if size % layout.t:
            raise ValueError(
                f"t (m) is {layout.t}, which does not divide the model's {what} ({size}); "
                f"nearest: {nearest_divisor(layout.t, heads, kv_heads, intermediate, vocab)}"
            )
    if heads // layout.t % layout.c:
        raise ValueError(
            f"c is {layout.c}, which does not divide the {heads // layout.t} attention heads a tensor-parallel rank "
            f"holds ({heads} / t{layout.t}); nearest: {nearest_divisor(layout.c, heads // layout.t)}"
        )
    local_kv = kv_heads // layout.t
    if layout.c % local_kv and local_kv % layout.c:
        raise ValueError(
            f"c is {layout.c}, which neither divides nor is a multiple of the {local_kv} key-value heads a rank holds "
            f"({kv_heads} / t{layout.t}); nearest: {nearest_divisor(layout.c, heads // layout.t, local_kv)}"
        )
    if layout.p > layers:
        raise ValueError(f"p is {layout.p}, but the model has only {layers} layers; nearest: {layers}")


def nearest_divisor(size: int, *of: int) -> int:
    """The number nearest to size (the smaller of two) that divides every number of `of`."""
    return min(
        (n for n in range(1, min(of) + 1) if all(number % n == 0 for number in of)), key=lambda n: (abs(n - size), n)
    )
