"""The master's pure parts besides the scheduler: who has room, and what a batch says of itself."""
import random

import numpy as np

from areal_lite.master.metrics import batch_metrics
from areal_lite.master.servers import Room, Server
from areal_lite.types import Prompt, Ticket, Trajectory

PROMPT = Prompt("p", np.zeros(4, np.int32), ("1",))


def ticket(k, samples=8):
    return Ticket(k, PROMPT, tuple(range(samples)))


def answer(k, sample, versions=(0,), outcome="correct", finish="stop"):
    n = len(versions)
    return Trajectory(k, 0, sample, "train", PROMPT.token_ids, np.zeros(n, np.int32), np.zeros(n, np.float32),
                      np.array(versions, np.int32), finish, 5.0 if outcome == "correct" else -5.0, outcome, "1", 2.0 * n)


def test_a_server_owes_a_sample_until_it_is_settled_and_only_once():
    server = Server(10)
    server.give(ticket(3, 2))
    assert (server.free, server.settle(answer(4, 0)), server.settle(answer(3, 5))) == (8, None, None)
    assert server.settle(answer(3, 1)).k == 3 and server.free == 9
    assert server.settle(answer(3, 1)) is None and server.settle(answer(3, 0)).samples == (0,) and not server.tickets


def test_room_names_the_emptiest_server_of_a_version_whatever_happened_before():
    source, servers = random.Random(0), {}
    room, gone = Room(servers), 0
    for n in range(5000):
        match source.randrange(5):
            case 0 if len(servers) < 30:
                servers[f"g{n}"] = Server(source.choice((8, 64)))
            case 1 if servers and source.random() < 0.2:
                del servers[source.choice(list(servers))]
                gone += 1
            case 2 if servers:
                peer = source.choice(list(servers))
                servers[peer].version += 1
                room.changed(peer)
            case 3:
                ready = max((s.free for s in servers.values() if s.version >= 0), default=0)
                free, peer = room.most(0)
                assert free == ready and (peer == "" or servers[peer].free == free)
                if free >= 8:
                    servers[peer].give(ticket(n))
                    room.changed(peer)
            case 4 if busy := [p for p, s in servers.items() if s.tickets and s.version >= 0]:
                peer = source.choice(busy)
                given = next(iter(servers[peer].tickets.values()))
                servers[peer].settle(answer(given.k, given.samples[0]))
                room.changed(peer)
    assert gone > 50 and len(room.heap) <= 64 + 4 * 30


def test_the_numbers_of_a_batch_are_those_counted_by_hand():
    groups = [[answer(0, 0, (2, 2, 3)), answer(0, 1, (3,), "wrong", "length")],
              [answer(1, 0, (), "no_answer"), answer(1, 1, (1, 1, 1, 1), "no_answer")]]
    got = batch_metrics(groups, step=3)
    assert got["staleness_mean"] == (1 + 1 + 0 + 0 + 4 * 2) / 8 and got["staleness_max"] == 2.0
    assert (got["tokens"], got["answers"], got["length"], got["length_max"]) == (8.0, 4.0, 2.0, 4.0)
    assert (got["accuracy"], got["truncated"], got["mixed_versions"], got["reward"]) == (0.25, 0.25, 0.25, -2.5)
    assert (got["length_correct"], got["length_wrong"], got["groups_all_wrong"], got["groups_all_right"]) == (3.0, 5 / 3, 0.5, 0.0)
    assert (got["outcome_no_answer"], got["answer_seconds_max"], got["prompt_length"]) == (0.5, 8.0, 4.0)
