"""python -m areal_lite.generation STAGE_DIR --index I --restart R: one generation server, until the master says Stop.

Reads STAGE_DIR/config.yaml, endpoint.json and keys/. Exit status 0 when the stage is finished and after SIGTERM;
record.AGAIN when the master sends it away before (a new process is welcome); 1 otherwise, with the reason on the last
line. Dies with the process that started it; its vLLM and verifier processes die with it.
"""
import argparse
import asyncio
import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer

from areal_lite.config import Stage, read_stage
from areal_lite.generation.engine import EngineError, VLLMEngine, stop_token_ids
from areal_lite.generation.server import Server
from areal_lite.generation.worker_extension import die_with
from areal_lite.record import AGAIN
from areal_lite.rewards.pool import VerifierPool
from areal_lite.streams import Spoke, find
from areal_lite.types import Stop
from realhf import allocation

_LAST_WORDS_S = 5.0


def main(words: list[str], make_engine: Callable = VLLMEngine) -> None:
    """Serve, then end the process. make_engine: what makes the engine, called like VLLMEngine."""
    parser = argparse.ArgumentParser(prog="areal_lite.generation")
    parser.add_argument("stage_dir", type=Path)
    parser.add_argument("--index", type=int, required=True, help="which server of the stage")
    parser.add_argument("--restart", type=int, default=0, help="how often it was started before")
    options = parser.parse_args(words)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    if os.getppid() != 1:
        die_with(os.getppid())
    asyncio.run(_serve(options, make_engine))


async def _serve(options: argparse.Namespace, make_engine: Callable) -> None:
    """The whole life of the process. It leaves by os._exit: asyncio's and vLLM's ends can wait for what is dead."""
    try:
        stage = read_stage(options.stage_dir)
        server = await _start(stage, options, make_engine)
        inbox, loop = asyncio.Queue(), asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, inbox.put_nowait, Stop("SIGTERM"))
        address, keys = await asyncio.to_thread(find, options.stage_dir, stage.generation.start_timeout_s)
        spoke = Spoke(address, f"generation-{options.index}", keys,
                      lambda message: loop.call_soon_threadsafe(inbox.put_nowait, message), stage.cluster.silence_s)
        try:
            why = await server.run(spoke, inbox)
        except ExceptionGroup as several:
            spoke.close(_LAST_WORDS_S)
            raise several.exceptions[0] from several
        spoke.close()
    except Exception as error:                     # the process's edge: say it last, whatever it is, and leave
        if not isinstance(error, ValueError | EngineError | TimeoutError):
            traceback.print_exc()
        print(f"generation server {options.index} stops: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    print(f"generation server {options.index} stops: {why}", flush=True)
    os._exit(0 if why in ("finished", "SIGTERM") else AGAIN if why.startswith("declared lost") else 1)


async def _start(stage: Stage, options: argparse.Namespace, make_engine: Callable) -> Server:
    stop_ids = stop_token_ids(stage.model.path)
    tokenizer = Tokenizer.from_file(str(Path(stage.model.path) / "tokenizer.json"))
    layout = allocation.parse(stage.cluster.allocation).generation
    engine = make_engine(stage, seed=stage.seed + 1000 * options.index + options.restart,
                         tensor_parallel=layout.t, pipeline_parallel=layout.p)
    await engine.start()                           # before any thread of ours: on CPU it forks
    reward = stage.reward
    pool = await asyncio.to_thread(VerifierPool, reward.workers, reward.timeout_s, reward.memory_mb, reward.protocol,
                                   reward.function)
    return Server(stage, options.index, options.restart, engine, pool, tokenizer, stop_ids)


if __name__ == "__main__":
    main(sys.argv[1:])
