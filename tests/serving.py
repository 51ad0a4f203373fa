"""Generation servers for tests: their stage, tickets and weights, and whole processes behind a hub of the test's."""
import json
import os
import subprocess
import sys
import time

import numpy as np
import psutil

from areal_lite.config import Stage, to_yaml
from areal_lite.config.schema import Cluster, Data, Evaluation, Generation, Model
from areal_lite.streams import Hub, make_keys
from areal_lite.types import Prompt, Ticket, Update
from areal_lite.weights import publish
from tests.tiny import ZERO, A

STAGE = Stage(model=Model(path="???", dtype="float32"), data=Data(path="unused", max_prompt_tokens=32), seed=5,
              generation=Generation(max_new_tokens=24, max_concurrency=8, update_timeout_s=5.0),
              evaluation=Evaluation(temperature=0.0), cluster=Cluster(device="cpu"))
PROBE = (A, A + 1, A + 2)


def ticket(k=0, samples=(0, 1, 2, 3), purpose="train", attempt=0, answer=3):
    return Ticket(k, Prompt(f"p{k}", np.array([A, A + k % 20, ZERO + answer], np.int32), (str(answer),)), samples,
                  attempt, purpose)


def publish_fake(root, version, names=("w",), probe=PROBE):
    tensors = [(n, "float32", (4,), np.full(4, version, np.float32)) for n in names]
    path, checksum = publish(root, version, tensors, probe, [0.0, -1.0, -2.0][:len(probe)])
    return Update(version, path, checksum)


class Damaging(list):
    """A feeder's tensors; the first `times` times that they are sent, one number of the second is wrong."""

    def __init__(self, tensors, times=1):
        super().__init__(tensors)
        self.times = times

    def __iter__(self):
        self.times -= 1
        for k, tensor in enumerate(super().__iter__()):
            sent = tensor.clone()
            if k == 1 and self.times >= 0:
                sent.view(-1)[1] += 1
            yield sent


class Process:
    """A generation server started as the launcher starts it, and the hub it speaks to; killed at the end of `with`."""

    def __init__(self, tmp_path, stage, module="tests.fakes", index=0, fake=None):
        self.directory = tmp_path / f"stage{index}"
        self.hub = Hub("tcp://127.0.0.1:*", make_keys(self.directory / "keys"))
        (self.directory / "config.yaml").write_text(to_yaml(stage))
        (self.directory / "endpoint.json").write_text(json.dumps({"address": self.hub.address}))
        self.log = open(self.directory / "log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(self.directory), "--index", str(index)],
            stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, "AREAL_LITE_FAKE": json.dumps(fake or {})})
        self.name = f"generation-{index}"

    def receive(self, kind, count=1, timeout_s=240.0):
        """The next `count` messages of a kind."""
        deadline, found = time.monotonic() + timeout_s, []
        while len(found) < count:
            assert time.monotonic() < deadline and self.process.poll() is None, f"{found}\n{self.words()}"
            message = self.hub.receive(0.2)
            if message and isinstance(message[1], kind):
                found.append(message[1])
        return found

    def send(self, *messages):
        for message in messages:
            assert self.hub.send(self.name, message)

    def words(self):
        """All it has printed."""
        self.log.seek(0)
        return self.log.read()

    def left(self, timeout_s=60.0):
        """(exit status, last line) once it has ended."""
        status = self.process.wait(timeout_s)
        return status, self.words().strip().splitlines()[-1:]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.hub.close(0)
        self.log.close()


def gone(processes, timeout_s=30.0):
    """Whether all have ended by then."""
    return not psutil.wait_procs(processes, timeout_s)[1]
