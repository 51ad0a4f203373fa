"""The hub under fire: 100,000 frames of nonsense from inside and every kind of stranger from outside, while a real spoke works.

Nothing crashes, memory does not grow, and whatever was refused is counted.
"""
import dataclasses
import os
import random
import select
import socket
import threading
import time

import psutil
import pytest
import zmq

from areal_lite.streams import Hub, Spoke, make_keys, read_keys
from areal_lite.streams.codec import WireError, decode, encode
from areal_lite.types import Heartbeat, Hello, Loaded
from tests.test_streams import MESSAGES, trajectory

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"CURVE".ljust(20, b"\0") + bytes(32)
INSIDE, OUTSIDE = 100_000, 60


@pytest.fixture
def hub(tmp_path):
    hub = Hub("tcp://127.0.0.1:*", make_keys(tmp_path))
    yield hub
    hub.close(0)


def spoilt(source, good):
    """Frames that were a message once."""
    frames = list(source.choice(good))
    i = source.randrange(len(frames))
    match source.randrange(5):
        case 0: frames[i] = frames[i][:source.randrange(len(frames[i]) + 1)]
        case 1: frames[i] = source.randbytes(source.randrange(200))
        case 2: frames = frames[:i]
        case 3: frames += [source.randbytes(8)] * source.randrange(1, 40)
        case 4 if frames[i]:
            raw = bytearray(frames[i])
            raw[source.randrange(len(raw))] ^= 1 << source.randrange(8)
            frames[i] = bytes(raw)
    return frames


def malformed(frames):
    try:
        decode(frames)
    except WireError:
        return True
    return False


def drain(hub, until, timeout_s=60.0):
    """Receive until until(what came) is true."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        got = hub.receive(0.05)
        if until(got):
            return
    raise AssertionError(f"{hub.malformed} malformed, {hub.refused} refused")


@pytest.mark.slow
def test_a_hundred_thousand_frames_of_an_insider_gone_mad_are_counted_and_leave_no_memory_behind(hub, tmp_path):
    keys, source = read_keys(tmp_path), random.Random(1)
    good = [[bytes(f) for f in encode(m)] for m in MESSAGES]
    raw = zmq.Context.instance().socket(zmq.DEALER)
    raw.curve_serverkey, raw.curve_publickey, raw.curve_secretkey = (
        k.encode() for k in (keys.server_public, keys.client_public, keys.client_secret))
    raw.set_hwm(0)
    raw.setsockopt(zmq.IDENTITY, b"mad")
    raw.connect(hub.address)
    sizes, bad, process = [], 0, psutil.Process()
    for n in range(INSIDE // 2000):
        for _ in range(2000):
            frames = spoilt(source, good) or [b""]
            bad += malformed(frames)
            raw.send_multipart(frames)
        raw.send_multipart([bytes(f) for f in encode(Loaded(n, "", 0.0, 0.0))])
        drain(hub, lambda got, n=n: got and isinstance(got[1], Loaded) and got[1].checksum == "" and got[1].version == n)
        sizes.append(process.memory_info().rss)
    assert hub.malformed == bad > INSIDE // 2 and hub.refused == 0
    assert max(sizes[len(sizes) // 2:]) - max(sizes[:len(sizes) // 2]) < 8 << 20
    raw.close(0)


class Recorder(threading.Thread):
    """A wire tap: passes one connection on and keeps the bytes that the client sent."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.heard = port, b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            while True:
                for s in select.select([client, server], [], [], 10)[0]:
                    if not (data := s.recv(1 << 16)):
                        return
                    (server if s is client else client).sendall(data)
                    self.heard += data if s is client else b""


def test_strangers_replays_and_giants_are_refused_and_counted_while_a_real_spoke_works(hub, tmp_path):
    keys, source, port = read_keys(tmp_path), random.Random(2), int(hub.address.rpartition(":")[2])
    tap = Recorder(port)
    heard = Spoke(tap.address, "tapped", keys)
    heard.send(Hello("generation", 7, 1, 1))
    drain(hub, lambda got: got and got[1] == Hello("generation", 7, 1, 1))
    heard.close()
    tap.join(20)
    assert len(tap.heard) > 500 and b"generation" not in tap.heard          # encrypted

    def say(*parts):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.settimeout(0.05)
            try:
                for part in parts:
                    s.sendall(part)
                    s.recv(1 << 12)
            except OSError:
                pass                                                         # the hub may hang up at any moment
    kinds = [
        lambda: say(source.randbytes(300)), lambda: say(b"GET / HTTP/1.1\r\n\r\n"), lambda: say(GREETING),
        lambda: say(GREETING, source.randbytes(300)), lambda: say(GREETING[:source.randrange(1, 64)]),
        lambda: say(GREETING, b"\x06\x7f" + b"\xff" * 7 + bytes(1000)),      # a command of 2^63 bytes
        lambda: say(GREETING.replace(b"CURVE", b"NULL\0"), b"\x04\x19\x05READY" + bytes(19)),
        lambda: say(tap.heard), lambda: say(tap.heard[:64], tap.heard[64:]),  # what an authenticated peer said before
    ]
    before = psutil.Process().memory_info().rss
    worker = Spoke(hub.address, "generation-0", keys)
    for n in range(OUTSIDE):
        kinds[n % len(kinds)]()
        worker.send(trajectory(n))
    came = []
    drain(hub, lambda got: came.append(got) or sum(bool(g) and not isinstance(g[1], Heartbeat) for g in came) == OUTSIDE)
    assert {g[0] for g in came if g} == {"generation-0"}                     # nothing a stranger said came through
    drain(hub, lambda got: hub.refused == OUTSIDE)
    other = make_keys(tmp_path / "other")
    for n, wrong in enumerate((dataclasses.replace(other, server_public=keys.server_public),
                               dataclasses.replace(keys, server_public=other.server_public))):
        spoke = Spoke(hub.address, "generation-0", wrong)                    # the name of a real one does not help
        spoke.send(Hello("generation", 0, os.getpid(), 99))
        drain(hub, lambda got, n=n: not (got and isinstance(got[1], Hello)) and hub.refused > OUTSIDE + n)
        spoke.close(0)
    assert hub.malformed == 0 and psutil.Process().memory_info().rss - before < 32 << 20
    worker.close()
