"""The wire: what is sent arrives as it was, once and in order; what is not ours is refused and counted."""
import dataclasses
import os
import queue
import random
import stat
import subprocess
import sys
import threading
import time

import msgpack
import numpy as np
import psutil
import pytest
import zmq

from areal_lite.streams import Broken, Hub, Spoke, WireError, decode, encode, make_keys, read_keys
from areal_lite.types import Batch, Damaged, Heartbeat, Hello, Loaded, Minibatch, Missed, Prompt, Stop, Ticket, Trajectory, Update


def ids(*n):
    return np.array(n, np.int32)


def trajectory(k=3, tokens=7):
    return Trajectory(k, 0, 1, "train", ids(1, 2, 3), np.arange(tokens, dtype=np.int32),
                      np.linspace(-1, 0, tokens, dtype=np.float32), np.full(tokens, 2, np.int32), "length", -5.0,
                      "wrong", "½ of it", 0.25)


MESSAGES = [
    Ticket(5, Prompt("p", ids(4, 5), ("1", "2")), (0, 3), 1, "evaluate"),
    trajectory(), trajectory(tokens=0),
    Batch(2, (Minibatch((trajectory(), trajectory(4)), np.ones((2, 8), np.float32), 14),
              Minibatch((), np.zeros((0, 8), np.float32), 0))),
    Update(3, "/dev/shm/x", "ab", {"loss": 0.5, "n": 2}), Hello("generation", 1, 77, 64), Loaded(3, "ab", 1e-6, 0.1),
    Heartbeat("waiting", 1.5, {"generated_tokens": 5.0}), Stop("done"),
    Damaged(4, "checksum"), Missed(4),
]


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and (a == b).all()
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b and type(a) is type(b)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_every_message_comes_back_as_it_was(message):
    back = decode([bytes(f) for f in encode(message)])
    if isinstance(message, Update):
        assert back.metrics == {"loss": 0.5, "n": 2.0}
        message, back = dataclasses.replace(message, metrics={}), dataclasses.replace(back, metrics={})
    assert same(back, message)


def test_random_truncated_and_mutated_frames_are_wire_errors_and_nothing_else():
    source = random.Random(0)
    good = [[bytes(f) for f in encode(m)] for m in MESSAGES]
    outcomes = {"ok": 0, "refused": 0}
    for _ in range(20_000):
        frames = list(source.choice(good))
        i = source.randrange(len(frames))
        match source.randrange(4):
            case 0: frames[i] = frames[i][:source.randrange(len(frames[i]) + 1)]
            case 1: frames[i] = source.randbytes(source.randrange(64))
            case 2: frames = frames[:i]
            case 3 if frames[i]:
                raw = bytearray(frames[i])
                raw[source.randrange(len(raw))] = source.randrange(256)
                frames[i] = bytes(raw)
        try:
            decode(frames)
            outcomes["ok"] += 1
        except WireError:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 8_000


@pytest.mark.parametrize(("why", "frames"), [
    ("a class that is not a message", [msgpack.packb(["object", []])]),
    ("an array frame that is not there", [msgpack.packb(["Prompt", ["p", ["\0array", 1, "i4", [2]], ["1"]]])]),
    ("a negative shape", [msgpack.packb(["Prompt", ["p", ["\0array", 1, "i4", [-1]], ["1"]]]), b"\0" * 8]),
    ("an object dtype", [msgpack.packb(["Prompt", ["p", ["\0array", 1, "O", [1]], ["1"]]]), b"\0" * 8]),
    ("floats for tokens", [msgpack.packb(["Prompt", ["p", ["\0array", 1, "f4", [2]], ["1"]]]), b"\0" * 8]),
    ("a word that is not a finish", [msgpack.packb(["Stop", [3]])]),
    ("a deep nest", [b"\x91" * 5000]),
])
def test_what_is_not_ours_is_refused(why, frames):
    with pytest.raises(WireError):
        decode(frames)


def test_a_trajectory_whose_arrays_disagree_cannot_exist():
    with pytest.raises(ValueError, match="logprobs"):
        dataclasses.replace(trajectory(), logprobs=np.zeros(3, np.float32))


@pytest.fixture
def hub(tmp_path):
    hub = Hub("tcp://127.0.0.1:*", make_keys(tmp_path))
    yield hub
    hub.close(0)


def collect(hub, n, timeout_s=20.0):
    got, end = [], time.monotonic() + timeout_s
    while len(got) < n and time.monotonic() < end:
        if (item := hub.receive(0.1)) and not isinstance(item[1], Heartbeat):
            got.append(item)
    return got


def test_everything_sent_before_close_arrives_once_and_in_order(hub, tmp_path):
    spoke = Spoke(hub.address, "generation-0", read_keys(tmp_path))
    for k in range(1024):
        spoke.send(trajectory(k))
    closer = threading.Thread(target=spoke.close)
    closer.start()
    got = collect(hub, 1024)
    closer.join(10)
    assert [(peer, m.k) for peer, m in got] == [("generation-0", k) for k in range(1024)]


def test_a_reply_reaches_the_spoke_it_was_meant_for(hub, tmp_path):
    spokes = [Spoke(hub.address, f"s{i}", read_keys(tmp_path)) for i in range(2)]
    for s in spokes:
        s.send(Hello("generation", 0, 1, 1))
    collect(hub, 2)
    assert hub.send("s1", Stop("you")) and not hub.send("nobody", Stop("x"))
    assert spokes[1].receive(5) == Stop("you") and spokes[0].receive(0.2) is None
    [s.close() for s in spokes]


def test_heartbeats_say_what_the_process_does(hub, tmp_path):
    spoke = Spoke(hub.address, "t", read_keys(tmp_path))
    spoke.send(Hello("trainer", 0, 1))
    assert hub.receive(10)[1] == Hello("trainer", 0, 1)    # it beats from its first word on
    spoke.doing("waiting for a batch")
    spoke.counters({"n": 2})
    beat, end = None, time.monotonic() + 10
    while beat is None and time.monotonic() < end:
        beat = hub.receive(0.5)
    assert beat[1].doing == "waiting for a batch" and beat[1].counters == {"n": 2.0} and 0 <= beat[1].since_s < 10
    spoke.close()


def test_a_spoke_that_hears_nothing_says_so_and_connects_anew(tmp_path):
    keys = make_keys(tmp_path)
    hub = Hub("tcp://127.0.0.1:*", keys)
    spoke = Spoke(hub.address, "t", keys, silence_s=0.5)
    broken = spoke.receive(10)
    assert isinstance(broken, Broken) and "no word" in broken.reason
    spoke.send(Hello("trainer", 0, 1))
    assert collect(hub, 1) == [("t", Hello("trainer", 0, 1))]
    spoke.close(0)
    hub.close(0)


def test_after_the_hub_went_away_nothing_old_reaches_its_successor(tmp_path):
    keys = make_keys(tmp_path)
    hub = Hub("tcp://127.0.0.1:*", keys)
    spoke = Spoke(hub.address, "g", keys)
    spoke.send(Hello("generation", 0, 1, 1))
    collect(hub, 1)
    hub.close(0)
    assert spoke.receive(10) == Broken("the connection to the master broke")
    spoke.send(trajectory(1))                              # of a ticket that the new hub never gave
    spoke.send(Hello("generation", 0, 1, 1))
    spoke.send(trajectory(2))
    hub = Hub(hub.address, keys)
    assert [m if isinstance(m, Hello) else m.k for _, m in collect(hub, 2)] == [Hello("generation", 0, 1, 1), 2]
    spoke.close()
    hub.close(0)


def test_the_last_words_of_a_hub_that_leaves_are_heard_before_the_break(tmp_path):
    keys, go_on, heard = make_keys(tmp_path), threading.Event(), queue.SimpleQueue()
    hub = Hub("tcp://127.0.0.1:*", keys)

    def deliver(message):
        heard.put(message)
        go_on.wait(20)
    spoke = Spoke(hub.address, "t", keys, deliver)
    spoke.send(Hello("trainer", 0, 1))
    collect(hub, 1)
    words = [Stop(f"word {n}") for n in range(4)]
    for word in words:
        assert hub.send("t", word)
    assert heard.get(timeout=10) == words[0]               # the spoke's thread is busy with it while the hub leaves
    port = int(hub.address.rpartition(":")[2])
    hub.close()
    end = time.monotonic() + 10
    while any(c.raddr and c.raddr.port == port for c in psutil.Process().net_connections("tcp")) and time.monotonic() < end:
        time.sleep(0.01)
    go_on.set()
    assert [heard.get(timeout=10) for _ in range(4)] == [*words[1:], Broken("the connection to the master broke")]
    spoke.close(0)


def test_a_spoke_with_all_keys_of_another_run_is_told_after_the_silence(hub, tmp_path):
    spoke = Spoke(hub.address, "g", make_keys(tmp_path / "other"), silence_s=2.0)
    stop = spoke.receive(15)
    assert isinstance(stop, Stop) and "hangs up: the keys are of another run" in stop.reason and hub.refused > 5
    spoke.close(0)


def test_a_spoke_of_another_run_is_told_that_its_keys_are_wrong(hub, tmp_path):
    other = make_keys(tmp_path / "other")
    spoke = Spoke(hub.address, "g", dataclasses.replace(other, server_public=read_keys(tmp_path).server_public))
    stop = spoke.receive(10)
    assert isinstance(stop, Stop) and "refuses this process's keys" in stop.reason and hub.refused >= 1
    spoke.close(0)


def test_a_peer_with_another_key_or_none_is_refused_and_counted(hub, tmp_path):
    other = make_keys(tmp_path / "other")
    stranger = dataclasses.replace(other, server_public=read_keys(tmp_path).server_public)
    spoke = Spoke(hub.address, "generation-0", stranger)
    spoke.send(Stop("let me in"))
    plain = zmq.Context.instance().socket(zmq.DEALER)
    plain.connect(hub.address)
    plain.send(b"hello")
    end = time.monotonic() + 10
    while hub.refused == 0 and time.monotonic() < end:
        assert hub.receive(0.1) is None
    assert hub.refused >= 1
    plain.close(0)
    spoke.close(0)


def test_a_peer_that_was_killed_is_gone_at_once(hub, tmp_path):
    script = ("import sys, time; from areal_lite.streams import Spoke, read_keys; from areal_lite.types import Hello\n"
              "s = Spoke(sys.argv[1], 'generation-1', read_keys(sys.argv[2])); s.send(Hello('generation', 1, 1, 8)); time.sleep(60)")
    stays = Spoke(hub.address, "generation-0", read_keys(tmp_path))
    victim = subprocess.Popen([sys.executable, "-c", script, hub.address, str(tmp_path)])
    try:
        stays.send(Hello("generation", 0, 1, 8))
        while (got := hub.receive(20.0)) and got[0] != "generation-1":
            pass
        victim.kill()
        begin, gone = time.monotonic(), []
        while not gone and time.monotonic() - begin < 10:
            gone = hub.gone(("generation-0", "generation-1"))
            hub.receive(0.05)
        assert gone == ["generation-1"] and time.monotonic() - begin < 5
    finally:
        victim.kill()
        victim.wait()
        stays.close()


def test_keys_are_readable_by_their_owner_only_and_never_printed(tmp_path):
    keys = make_keys(tmp_path / "keys")
    assert stat.S_IMODE(os.stat(tmp_path / "keys" / "curve.json").st_mode) == 0o600
    assert keys.client_secret not in repr(keys) and read_keys(tmp_path / "keys") == keys
    with pytest.raises(ValueError, match="no keys"):
        read_keys(tmp_path / "nowhere")


def test_malformed_frames_at_the_hub_are_counted_and_the_next_message_still_arrives(hub, tmp_path):
    keys = read_keys(tmp_path)
    raw = zmq.Context.instance().socket(zmq.DEALER)
    raw.curve_serverkey, raw.curve_publickey, raw.curve_secretkey = (
        k.encode() for k in (keys.server_public, keys.client_public, keys.client_secret))
    raw.setsockopt(zmq.IDENTITY, b"raw")
    raw.connect(hub.address)
    raw.send_multipart([b"junk"])
    raw.send_multipart([bytes(f) for f in encode(Stop("fine"))])
    assert [m for _, m in collect(hub, 1)] == [Stop("fine")] and hub.malformed == 1
    raw.close(0)
