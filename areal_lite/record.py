"""Rows of a run directory: JSON lines that survive a kill, and whole files that appear at once."""
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

FATAL = 3
"""Exit status of a process that a restart would not help; its last line says what to change."""
AGAIN = 4
"""Exit status of a generation server that the master sent away; a new one is welcome."""


def append(file: str | os.PathLike, row: dict) -> None:
    """Add one row; a reader never sees half of it once the newline is there. A row that a kill cut off before is removed."""
    with open(file, "a+b") as out:
        _mend(out)
        out.write(json.dumps(row).encode() + b"\n")


def _mend(file) -> None:
    """Cut a file, open for reading and appending, back to its last newline."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65536)
        file.seek(start)
        if (newline := file.read(end - start).rfind(b"\n")) >= 0:
            end = start + newline + 1
            break
        end = start
    file.truncate(end)


def read(file: str | os.PathLike) -> Iterator[dict]:
    """Every whole row; a last line cut by a kill is left out, a missing file has none."""
    if not Path(file).exists():
        return
    with open(file) as source:
        for line in source:
            if line.endswith("\n"):
                yield json.loads(line)


def keep(file: str | os.PathLike, wanted: Callable[[dict], bool]) -> None:
    """Rewrite the file with the rows that wanted(row) accepts; a resumed run takes back what it will do again."""
    if not Path(file).exists():
        return
    rows = [row for row in read(file) if wanted(row)]
    write(file, "".join(json.dumps(row) + "\n" for row in rows))


def write(file: str | os.PathLike, text: str) -> None:
    """Replace a whole file at once."""
    partial = Path(f"{file}.partial")
    partial.write_text(text)
    os.replace(partial, file)


def last_status(stage_dir: Path) -> dict:
    """What the master said last in status.json (master/status.py); {} before it said anything."""
    file = stage_dir / "status.json"
    return json.loads(file.read_text()) if file.exists() else {}


def bundle_dir(stage_dir: Path, version: int, every_steps: int) -> Path | None:
    """Where the replay bundle of the step that makes `version` goes; None when that step is not one of the recorded."""
    return stage_dir / "bundles" / f"step-{version:08d}" if every_steps > 0 and version % every_steps == 0 else None


def checkpoint_dir(stage_dir: Path, version: int) -> Path:
    """Where the recovery checkpoint of a version is, once it is finished."""
    return stage_dir / "checkpoints" / f"step-{version:08d}"


def checkpoints(stage_dir: Path) -> list[int]:
    """Versions of the stage's finished recovery checkpoints, oldest first."""
    return sorted(int(p.name.removeprefix("step-")) for p in stage_dir.glob("checkpoints/step-*") if not p.suffix)
