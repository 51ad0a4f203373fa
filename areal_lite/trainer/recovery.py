"""Recovery checkpoints of one stage: when one is due, saving it, and going back to the newest that can be read.

All ranks call the same methods in the same order; rank 0's clock and rank 0's disk operations count.
"""
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
from torch.distributed.checkpoint import CheckpointException

from areal_lite import record
from areal_lite.config.identity import identity, refuse_other
from areal_lite.config.schema import Stage
from realhf import checkpoint
from realhf.engine import Engine

MANY = 16
"""Checkpoints that are tried at the most."""


class Recovery:
    """STAGE_DIR/checkpoints/step-<version>, saved in the background."""

    def __init__(self, stage: Stage, directory: Path, engine: Engine, rank: int):
        self.stage, self.directory, self.engine, self.rank = stage, directory, engine, rank
        self.saved, self.saved_at = -1, time.monotonic()

    def back(self) -> int:
        """Load the newest checkpoint that can be read; its version, 0 when there is none.

        Newer ones that cannot be read are said and renamed to *.unreadable. ValueError when none can be read, and when the
        checkpoint belongs to another run.
        """
        bad: list[Path] = []
        for version in self._there():
            path = record.checkpoint_dir(self.directory, version)
            try:
                extra = self.engine.load(str(path))
            except (CheckpointException, ValueError) as error:
                first = (str(error).strip().splitlines() or [""])[0][:300]
                print(f"checkpoint {path} cannot be read ({type(error).__name__}: {first})", file=sys.stderr)
                bad.append(path)
                continue
            refuse_other(path, extra["of"], identity(self.stage))
            self.engine.all_reduce_sum(np.zeros(1))        # every rank has read it
            if self.rank == 0:
                for unreadable in bad:
                    _take_away(unreadable)
            self.saved = int(extra["version"])
            return self.saved
        if bad:
            raise ValueError(f"none of the checkpoints in {bad[0].parent} can be read; move them away to begin the stage anew")
        return 0

    def _there(self) -> list[int]:
        """Versions to try, newest first, as rank 0 sees them: on a shared file system another node may still see the past."""
        found = record.checkpoints(self.directory)[::-1][:MANY]
        mine = np.array([*found, *[-1] * (MANY - len(found))]) if self.rank == 0 else np.zeros(MANY)
        return [int(v) for v in self.engine.all_reduce_sum(mine) if v >= 0]

    def tick(self, version: int) -> None:
        """After every step: save when checkpoint.every_steps or checkpoint.every_s says so."""
        settings = self.stage.checkpoint
        by_count = settings.every_steps > 0 and version % settings.every_steps == 0
        late = settings.every_s > 0 and time.monotonic() - self.saved_at > settings.every_s
        if by_count or self.engine.all_reduce_sum(np.array([float(late and self.rank == 0)]))[0]:
            self.save(version)

    def save(self, version: int) -> None:
        """Begin to save this version, unless it is saved already; the one before is complete from now on."""
        if version == self.saved:
            return
        self.engine.wait_saved()
        if self.rank == 0:
            checkpoint.retire(str(self.directory / "checkpoints"), self.stage.checkpoint.keep)
        path = record.checkpoint_dir(self.directory, version)
        self.engine.save(str(path), {"version": version, "of": identity(self.stage)})
        self.saved, self.saved_at = version, time.monotonic()


def _take_away(path: Path) -> None:
    """Out of use, under a name that says why."""
    aside = path.with_name(path.name + checkpoint.UNREADABLE)
    shutil.rmtree(aside, ignore_errors=True)
    os.replace(path, aside)
