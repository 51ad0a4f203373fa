"""python -m areal_lite.report RUN [RUN2 ...]: figures, a page and a table of a run, or of several seeds over each other.

Reads run directories only; the launcher calls it at a run's end, and it may be called while a run goes on.
"""
import argparse
import sys
from pathlib import Path

from areal_lite import record

DESCRIPTION = """Curves of a run (reward, accuracy, length, truncation, staleness, time) as pictures, one HTML page and a table.

  python -m areal_lite.report runs/quickstart                                  into runs/quickstart/report/index.html
  python -m areal_lite.report runs/seed-1 runs/seed-2 runs/seed-3 --to seeds   the same experiment, seeds over each other
"""


def main(words: list[str] | None = None) -> int:
    """Exit status: 0, or 2 when a directory is not a run."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.report", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="+", metavar="RUN", help="run directory of a launched experiment, also while it runs")
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to write (default RUN/report; of several, RUN/report-of-N-runs)")
    options = parser.parse_args(words)
    from areal_lite.report import figures, page, panels
    from areal_lite.report.read import differences, read_run
    try:
        runs = [read_run(path) for path in options.run]
        made = figures.draw(runs)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    folder = options.to or runs[0].path / ("report" if len(runs) == 1 else f"report-of-{len(runs)}-runs")
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, (figure, caption) in made.items():
        figure.savefig(folder / name, dpi=panels.SAVED_DPI)
        files[name] = (folder / name, caption)
    record.write(folder / "index.html", page.page(runs, files))
    print(page.text(page.table(runs)))
    for line in [x for run in runs for x in page.remarks(run)] + [f"not only seeds differ: {d}" for d in differences(runs)]:
        print(f"note: {line}")
    print(f"report: {folder / 'index.html'}  figures: {', '.join(files)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
