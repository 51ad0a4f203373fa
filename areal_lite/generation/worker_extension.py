"""Runs inside vLLM's worker processes: loads a published version, and never outlives the server.

vLLM mixes this class into its worker (worker_extension_cls), so `self` is the worker. Every method is called through
collective_rpc while generation is paused; arguments and results are plain words and numbers. vllm is imported inside
the methods: the server's own process reads `die_with` from here before it imports anything heavy.
"""
import ctypes
import os
import select
import signal
import threading
from collections.abc import Iterable

from areal_lite.weights import Entry, WeightsError, parse_manifest, read_manifest

_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent`, which started it, ends. Exits at once if it already has."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def begin_core() -> None:
    """First thing in a forked EngineCore: it dies with its server, and stays on the cores it was given. The server itself and
    its verifier are not bound, so that they may use whatever core has nothing to do."""
    die_with(os.getppid())
    if cpus := os.environ.get("AREAL_LITE_CPUS"):
        os.sched_setaffinity(0, {int(cpu) for cpu in cpus.split(",")})


def _kill_when_gone(watched: int, victim: int) -> None:
    """Wait for the process `watched` to end, then kill `victim`."""
    descriptor = os.pidfd_open(watched)
    select.select([descriptor], [], [])            # the one wait without a clock: its end is the server's
    os.kill(victim, signal.SIGKILL)


class WorkerExtension:
    """What our server may ask of a vLLM worker."""

    def follow_server(self, server: int) -> int:
        """Die when the process `server` does, however it ends. Returns this worker's process id.

        A worker that EngineCore started (tensor parallel) follows EngineCore, and takes it along when the server ends.
        """
        parent = os.getppid()
        die_with(parent)
        if parent != server:
            threading.Thread(target=_kill_when_gone, args=(server, parent), daemon=True, name="follow server").start()
        return os.getpid()

    def load_weights_file(self, path: str) -> int:
        """Load PATH/weights.bin, all tensors, and return how many. The caller has verified checksum and manifest.

        WeightsError when the file lacks tensors of the model; after any error the model must not be used before a
        full load has succeeded.
        """
        import torch

        entries = read_manifest(path).entries
        file = os.path.join(path, "weights.bin")
        flat = torch.from_file(file, shared=False, size=os.path.getsize(file), dtype=torch.uint8)
        self._load(((e.name, _tensor(flat, e)) for e in entries), file)
        return len(entries)

    def receive_weights(self, path: str, manifest: str, clock_s: float) -> int:
        """Load what the trainer at direct://host:port/GROUP sends to this server's workers, and return how many tensors.

        manifest: what the server was offered, as JSON. clock_s: of every wait. RuntimeError or OSError when the trainer is
        gone, WeightsError when what came is not what was promised; the rest as load_weights_file.
        """
        from areal_lite.direct import Group

        promised, group = parse_manifest(manifest, path), getattr(self, "_group", None)
        self._group = None                         # after an error it is of no use
        if group is None or group.path != path:
            group = Group(path, 1 + self.rank, 1 + self.vllm_config.parallel_config.world_size, self.device, clock_s)
        group.receive(promised, lambda tensors: self._load(tensors, path))
        self._group = group
        return len(promised.entries)

    def _load(self, tensors: Iterable[tuple], source: str) -> None:
        import torch
        from vllm.config import set_current_vllm_config
        from vllm.model_executor.model_loader.reload import finalize_layerwise_reload, initialize_layerwise_reload

        model = self.model_runner.get_model()
        wanted = {name for name, _ in model.named_parameters()}
        with torch.inference_mode(), set_current_vllm_config(self.vllm_config):
            initialize_layerwise_reload(model)
            try:
                loaded = model.load_weights(tensors)
            finally:                               # also after an error: it forgets what was half loaded
                finalize_layerwise_reload(model, self.vllm_config.model_config)
            _repack_tied_head(model)
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        if missing := sorted(wanted - loaded):
            raise WeightsError(f"{source} lacks {len(missing)} of the model's tensors: {', '.join(missing[:3])}")


def _tensor(flat, entry: Entry):
    """A view of the mapped file as one tensor."""
    import torch

    return flat[entry.offset:entry.offset + entry.nbytes].view(getattr(torch, entry.dtype)).view(entry.shape)


def _repack_tied_head(model) -> None:
    """On CPU a tied lm_head keeps a packed copy of the embedding that vLLM 0.32 does not rebuild on a reload."""
    head = getattr(model, "lm_head", None)
    if hasattr(head, "cpu_linear"):
        head.quant_method.process_weights_after_loading(head)
