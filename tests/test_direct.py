"""Weights without files: what arrives is what was published, and no death, damage or delay at one server reaches another."""
import contextlib
import json
import os
import signal
import socket
import threading
import time

import numpy as np
import pytest
import xxhash

torch = pytest.importorskip("torch")

from areal_lite import direct  # noqa: E402
from areal_lite.trainer.feeder import Feeder  # noqa: E402
from areal_lite.weights import DamagedError, WeightsError, check_same_shape  # noqa: E402
from tests.groups import _context  # noqa: E402
from tests.serving import Damaging  # noqa: E402

CLOCK_S = 20.0
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def loopback(monkeypatch):
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")


@contextlib.contextmanager
def feeding(clock_s=CLOCK_S):
    torch.set_num_threads(1)
    feeder = Feeder("127.0.0.1", CPU, clock_s)
    try:
        yield feeder
    finally:
        feeder.close()


def weights(version, big=0):
    """Names, tensors; big: so many numbers more in each."""
    source, shapes = torch.Generator().manual_seed(version), [(3, 5), (7,), (2, 2)]
    return [(f"{k}.weight", torch.randn((*shape, big or 1), generator=source)) for k, shape in enumerate(shapes)]


def publish(feeder, version, tensors=None):
    return feeder.publish(version, "float32", tensors or weights(version), (1, 2), (0.0, -1.5))


class Model:
    """Takes what is loaded, as a real model would: copies."""

    def __init__(self, wrong=0, after=lambda k: None):
        """wrong: so many loads fail in the middle. after: called with the number of tensors taken so far."""
        self.tensors, self.loads, self._wrong, self._after = {}, 0, wrong, after

    def load(self, coming):
        self.loads += 1
        for k, (name, tensor) in enumerate(coming, 1):
            self.tensors[name] = tensor.clone()
            self._after(k)
            if self.loads <= self._wrong and k == 2:
                raise KeyError("no such layer")

    def holds(self, tensors):
        return self.tensors.keys() == dict(tensors).keys() and all((self.tensors[n] == t).all() for n, t in tensors)


def receive(path, version, name="generation-0", model=None, group=None, clock_s=CLOCK_S):
    """A server with one worker: ask, join, load. (model, group); the group of before is joined again if it is the one offered."""
    model = model or Model()
    offer = direct.ask(path, version, name, 1, int(group.path.rpartition("/")[2]) if group else 0, clock_s)
    if group is None or group.path != offer.path:
        group = direct.Group(offer.path, 1, 2, CPU, clock_s)
    group.receive(offer.manifest, model.load)
    return model, group


class Receiver:
    """A receiver as a process of its own; stop_at: it stands still for good when it has so many tensors."""

    def __init__(self, path, version, name, stop_at=0):
        self.pipe, theirs = _context.Pipe()
        self.process = _context.Process(target=_received, args=(theirs, path, version, name, stop_at))
        self.process.start()
        theirs.close()

    def says(self):
        assert self.pipe.poll(60), "it says nothing"
        return self.pipe.recv()

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(10)


def _received(pipe, path, version, name, stop_at):
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)

    def after(k):
        if k == stop_at:
            pipe.send("in the middle")
            threading.Event().wait()
    model, _ = receive(path, version, name, Model(after=after))
    pipe.send({n: t.numpy() for n, t in model.tensors.items()})
    os._exit(0)


def until(capfd, words, timeout_s=30.0):
    """Wait until the feeder has said so."""
    said, end = "", time.monotonic() + timeout_s
    while words not in said:
        assert time.monotonic() < end, said
        time.sleep(0.02)
        said += capfd.readouterr().err


def checksum(*tensors):
    one = direct.Checksum()
    for tensor in tensors:
        one.add(tensor)
    return one.hexdigest()


def naive(*arrays):
    """The checksum word by word."""
    digest = xxhash.xxh3_128()
    for array in arrays:
        raw = array.tobytes()
        raw += bytes(4096 - len(raw) % 4096)
        rows, columns = [0] * (len(raw) // 4096), [0] * 512
        for i in range(0, len(raw), 8):
            word = int.from_bytes(raw[i:i + 8], "little")
            rows[i // 4096] += word
            columns[i // 8 % 512] += word
        for total in (*rows, *columns):
            digest.update((total % (1 << 64)).to_bytes(8, "little"))
    return digest.hexdigest()


def test_the_checksum_is_the_one_of_a_loop_over_the_words():
    random = np.random.default_rng(0)
    arrays = [random.integers(0, 256, n, np.uint8) for n in (1, 7, 8, 4095, 4096, 4097, 3 * 4096 + 2, 40_000)]
    for array in arrays:
        assert checksum(torch.from_numpy(array)) == naive(array)
    assert checksum(*map(torch.from_numpy, arrays)) == naive(*arrays)
    odd = torch.randn(3, 2001, dtype=torch.bfloat16)               # its bytes are no whole number of words
    assert checksum(odd) == naive(odd.view(torch.int16).numpy())


def test_the_checksum_sees_every_flipped_bit_swap_and_shift():
    raw = torch.from_numpy(np.random.default_rng(1).integers(0, 256, 5 * 4096 + 24, np.uint8))
    right, words = checksum(raw), raw.view(torch.int64)

    def after(change):
        other = raw.clone()
        change(other)
        return checksum(other)

    def flip(byte, bit):
        def change(t):
            t[byte] ^= 1 << bit
        return change

    def swap(i, j):
        def change(t):
            w = t.view(torch.int64)
            w[i], w[j] = words[j], words[i]
        return change

    wrong = [after(flip(byte, bit)) for byte in (0, 1, 4095, 4096, 20_000, len(raw) - 1) for bit in range(8)]
    wrong += [after(swap(i, j)) for i, j in ((0, 1), (0, 512), (3, 1027), (511, 512), (2561, 2560), (0, 2562))]
    wrong += [after(lambda t, n=n: t.copy_(raw.roll(n))) for n in (1, 2, 8, 4096, -8)]
    words[7] = words[9] ^ (-1 << 63)                               # only the highest bits differ
    wrong += [checksum(raw), after(swap(7, 9)), after(swap(9, 7 + 512))]
    assert right not in wrong and len(set(wrong)) == len(wrong)
    a, b = torch.randn(64), torch.randn(64)
    assert checksum(a, b) != checksum(b, a)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_checksum_is_the_same_on_a_gpu():
    tensors = [torch.randn(n, dtype=torch.bfloat16) for n in (1, 4096, 123_457)]
    assert checksum(*tensors) == checksum(*[t.cuda() for t in tensors])


def test_versions_arrive_as_they_were_published_and_the_later_ones_through_the_same_group():
    with feeding() as feeder:
        group = None
        for version in (4, 5, 6):
            path, checked = publish(feeder, version)
            assert path == feeder.path and checked == naive(*[t.numpy() for _, t in weights(version)])
            before, (model, group) = group, receive(path, version, group=group)
            assert model.holds(weights(version)) and model.loads == 1
            assert before in (None, group)
        manifest = direct.ask(path, 6, "generation-1", 1, 0, CLOCK_S).manifest
        assert (manifest.version, manifest.checksum, manifest.nbytes) == (6, checked, 4 * (15 + 7 + 4))
        assert (manifest.probe_ids, manifest.probe_logprobs) == ((1, 2), (0.0, -1.5))
        publish(feeder, 7, [*weights(7), ("3.weight", torch.ones(2))])
        with pytest.raises(WeightsError, match="version 7 holds 4 tensors, version 6 held 3; they differ in 3.weight"):
            check_same_shape(manifest, direct.ask(path, 7, "generation-1", 1, 0, CLOCK_S).manifest)


def test_bfloat16_scalars_and_tensors_that_are_no_whole_words_arrive():
    tensors = [("scalar", torch.tensor(1.5, dtype=torch.bfloat16)), ("odd", torch.randn(3, 7, dtype=torch.bfloat16))]
    with feeding() as feeder:
        feeder.publish(0, "bfloat16", iter(tensors))
        model, _ = receive(feeder.path, 0)
    assert model.holds(tensors) and model.tensors["odd"].dtype == torch.bfloat16 and model.tensors["scalar"].shape == ()


def test_kill_9_in_the_middle_of_a_transfer_hurts_nobody_else_and_the_next_of_its_name_is_served(capfd):
    tensors = weights(3, big=1 << 18)
    with feeding() as feeder:
        publish(feeder, 3, tensors)
        dies, lives = Receiver(feeder.path, 3, "generation-0", stop_at=1), Receiver(feeder.path, 3, "generation-1")
        assert dies.says() == "in the middle"
        got = lives.says()
        assert all((got[name] == tensor.numpy()).all() for name, tensor in tensors) and len(got) == 3
        dies.kill()
        until(capfd, "feeder: version 3 did not reach generation-0 (")
        model, _ = receive(feeder.path, 3, "generation-0")
        assert model.holds(tensors)
        model, group = receive(feeder.path, 3, "generation-2")            # a late one
        assert model.holds(tensors)
        publish(feeder, 4)
        assert receive(feeder.path, 4, "generation-2", group=group)[0].holds(weights(4))
        lives.process.join(10)


def test_a_server_that_stands_still_ends_its_own_transfer_by_the_clock_and_holds_up_nobody(capfd):
    tensors = weights(3, big=1 << 20)
    with feeding(clock_s=3.0) as feeder:
        publish(feeder, 3, tensors)
        hangs = Receiver(feeder.path, 3, "generation-0", stop_at=1)
        assert hangs.says() == "in the middle"
        assert receive(feeder.path, 3, "generation-1")[0].holds(tensors)
        assert hangs.process.is_alive()
        until(capfd, "feeder: version 3 did not reach generation-0 (3.")
        assert receive(feeder.path, 3, "generation-0")[0].holds(tensors)
        hangs.kill()


def test_what_is_being_sent_is_not_changed_by_the_next_version_and_who_still_waits_for_it_is_told():
    with feeding() as feeder:
        publish(feeder, 1)

        def newer(k):
            if k == 1:
                publish(feeder, 2)
                assert direct.ask(feeder.path, 1, "generation-1", 1, 0, CLOCK_S) is None
        assert receive(feeder.path, 1, model=Model(after=newer))[0].holds(weights(1))
        assert receive(feeder.path, 2)[0].holds(weights(2))


def test_damage_on_the_way_is_sent_again_once_and_then_refused_on_both_sides(capfd):
    with feeding() as feeder:
        publish(feeder, 3)
        manifest, tensors = feeder._held
        feeder._held = manifest, Damaging(tensors)
        model, group = receive(feeder.path, 3)
        assert model.loads == 2 and model.holds(weights(3))
        feeder._held = manifest, Damaging(tensors, times=2)
        with pytest.raises(WeightsError, match=rf"version 3 from {group.path}, sent 2 times: the checksum .* expected {manifest.checksum}"):
            receive(feeder.path, 3, group=group)
        model, again = receive(feeder.path, 3)
        assert model.loads == 1 and model.holds(weights(3)) and again.path != group.path
        until(capfd, "feeder: version 3 did not reach generation-0 (")


def test_a_load_that_fails_in_the_middle_is_tried_again_once_and_then_named():
    with feeding() as feeder:
        publish(feeder, 3)
        model, _ = receive(feeder.path, 3, model=Model(wrong=1))
        assert model.loads == 2 and model.holds(weights(3))
        with pytest.raises(WeightsError, match="sent 2 times: 'no such layer'"):
            receive(feeder.path, 3, model=Model(wrong=2))


def test_two_workers_of_one_server_agree_that_one_of_them_needs_it_again():
    with feeding() as feeder:
        publish(feeder, 3)
        offer = direct.ask(feeder.path, 3, "generation-0", 2, 0, CLOCK_S)
        models, ended = [Model(), Model(wrong=1)], []

        def work(rank):
            direct.Group(offer.path, rank, 3, CPU, CLOCK_S).receive(offer.manifest, models[rank - 1].load)
            ended.append(rank)
        threads = [threading.Thread(target=work, args=(rank,)) for rank in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(CLOCK_S)
        assert sorted(ended) == [1, 2]
        assert [m.loads for m in models] == [2, 2] and all(m.holds(weights(3)) for m in models)


def test_who_asks_before_there_is_a_version_waits_for_it():
    with feeding() as feeder:
        threading.Timer(0.3, publish, (feeder, 0)).start()
        assert receive(feeder.path, 0)[0].holds(weights(0))


def test_every_wait_ends_by_its_clock_and_names_whom_it_waited_for(capfd):
    with feeding(clock_s=1.0) as feeder:
        with pytest.raises(TimeoutError, match=rf"{feeder.path} did not offer version 5 to generation-7 within 0\.2 s"):
            direct.ask(feeder.path, 5, "generation-7", 1, 0, 0.2)
        publish(feeder, 5)
        offer = direct.ask(feeder.path, 5, "generation-8", 1, 0, 5.0)       # and its workers never come
        until(capfd, "feeder: version 5 did not reach generation-8 (")
        with pytest.raises(RuntimeError):
            direct.Group(offer.path, 1, 2, CPU, 1.0)
        gone = feeder.path
    with socket.socket() as nobody, pytest.raises(OSError, match="refused"):
        nobody.bind(("127.0.0.1", 0))
        direct.ask(f"direct://127.0.0.1:{nobody.getsockname()[1]}", 1, "generation-0", 1, 0, 5.0)
    assert gone.startswith("direct://127.0.0.1:")


def test_words_that_are_no_ask_and_no_manifest_are_refused_and_the_next_ask_is_served(capfd):
    with feeding() as feeder:
        publish(feeder, 1)
        store = direct.connect(feeder.path, CLOCK_S)
        for words in ("{", "[1]", json.dumps({"id": "x"})):
            store.queue_push("asks", words)
        assert receive(feeder.path, 1)[0].holds(weights(1))
    assert capfd.readouterr().err.count("feeder: not an ask") == 3
    with pytest.raises(DamagedError, match="from here: not a readable weight manifest"):
        from areal_lite.weights import parse_manifest
        parse_manifest("{}", "from here")
