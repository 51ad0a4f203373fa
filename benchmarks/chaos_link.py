"""A TCP link on loopback that can be stopped, cut and mended: a process of its own between a server and the master.

It forwards to whatever address the stage's endpoint.json names at that moment. Stopped (SIGSTOP) it swallows nothing: what
was sent meanwhile arrives late, all at once. Cut (killed) its connections are reset and nobody listens until it is started
again on the same port. Waits for its connections; dies with the process that made it.
"""
import asyncio
import json
import multiprocessing
import os
import signal
import socket
from pathlib import Path

from areal_lite.generation.worker_extension import die_with

FORK = multiprocessing.get_context("fork")


def free_port() -> int:
    """A loopback TCP port nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Link:
    """Listens at `address` for connections to the master of a stage."""

    def __init__(self, stage_dir: Path):
        self.stage_dir, self.port = stage_dir, free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._start()

    def _start(self) -> None:
        self.process = FORK.Process(target=_forward, args=(self.stage_dir, self.port, os.getpid()), daemon=True)
        self.process.start()

    def mend(self) -> None:
        """Whatever was done to it ends: what was held up gets through, or there is a new link."""
        if self.process.exitcode is None:
            os.kill(self.process.pid, signal.SIGCONT)
        else:
            self._start()

    def stop(self) -> None:
        """Nothing gets through, and nobody is told."""
        if self.process.exitcode is None:
            os.kill(self.process.pid, signal.SIGSTOP)

    def cut(self) -> None:
        """Reset every connection and refuse new ones."""
        self.process.kill()
        self.process.join()


def _forward(stage_dir: Path, port: int, parent: int) -> None:
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)           # its maker decides when it ends
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    asyncio.run(_listen(stage_dir, port))


async def _listen(stage_dir: Path, port: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                host, _, port = json.loads((stage_dir / "endpoint.json").read_text())["address"].removeprefix("tcp://").rpartition(":")
                far_reader, far_writer = await asyncio.open_connection(host, int(port))
                break
            except OSError:                        # no master at the moment
                await asyncio.sleep(0.05)
        else:
            writer.close()
            return
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))

    async with await asyncio.start_server(connected, "127.0.0.1", port) as server:
        await server.serve_forever()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(1 << 16):
            sink.write(piece)
            await sink.drain()
    except ConnectionError:
        pass                                       # the other direction sees its end too
    finally:
        sink.close()
