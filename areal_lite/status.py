"""python -m areal_lite.status RUN: who waits for whom, since when and why; a reader of a run directory and of this machine.

RUN is a run directory or that of one stage; of a run the newest stage is shown. Waits for nothing, except that --stacks
gives the processes DUMP_S seconds to write their stacks into their logs. It signals only processes of this stage that
have a handler for SIGUSR1, which it knows by their command lines.
"""
import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil

from areal_lite import record
from areal_lite.config import ConfigError, Stage, is_stage, read_experiment, read_stage

DESCRIPTION = """Who waits for whom, since when and why: the gate, the servers, the oldest ticket, where the tokens went.

  python -m areal_lite.status runs/quickstart              the newest stage, once
  python -m areal_lite.status runs/quickstart --follow     again and again while it runs
  python -m areal_lite.status runs/quickstart --stacks     where in the code this machine's processes are
"""
STALE_S = 5.0
"""status.json is written every second; older than this, its writer is busy, stuck or gone."""
DUMP_S = 5.0
FOLLOW_S = 2.0
EVENTS = 8
"""Newest events that are shown."""
PLACES = ("trained", "evaluated", "filtered", "dropped", "refused")
"""Words of the token ledger that say where a received token went."""


def stage_of(path: Path) -> Path:
    """The stage directory that is meant. ConfigError when `path` is no run."""
    if is_stage(path):
        read_stage(path)
        return path
    stages = read_experiment(path).stages
    begun = [path / s.name for s in stages if (path / s.name / "config.yaml").exists()]
    if not begun:
        raise ConfigError(f"{path}: no stage has begun yet")
    return begun[-1]


def facts(directory: Path) -> dict:
    """Everything that is known, JSON-able. Times are seconds before now."""
    now = time.time()
    status = record.last_status(directory)
    rows, events = (list(record.read(directory / f"{name}.jsonl")) for name in ("metrics", "events"))
    joined = {e["peer"]: now - e["time"] for e in events if e["event"] == "joined"}
    return {"directory": str(directory), "now": now, "joined_s": joined, "finished": (directory / "finished.json").exists(),
            "age_s": now - status["time"] if status else None, "status": status, "processes": processes(directory, status, events),
            "last_step": {"step": rows[-1]["step"], "age_s": now - rows[-1]["time"]} if rows else {}, "events": events[-EVENTS:]}


def processes(directory: Path, status: dict, events: list[dict]) -> list[dict]:
    """Who is here or should be: processes of this machine that run this stage, and all that ever joined it."""
    here, joined = _running(directory), {e["peer"]: e["pid"] for e in events if e["event"] == "joined"}
    for p in here.values():
        p.cpu_percent()
    time.sleep(0.2 if here else 0.0)
    rows = []
    for name in sorted({*here, *joined}):
        row = {"name": name, "pid": joined.get(name), "state": "gone", **status.get("processes", {}).get(name, {})}
        try:
            if p := here.get(name):
                row |= {"pid": p.pid, "state": p.status(), "cpu_percent": p.cpu_percent(), "memory_mb": p.memory_info().rss >> 20}
        except psutil.NoSuchProcess:
            pass
        rows.append(row)
    return rows


def _running(directory: Path) -> dict[str, psutil.Process]:
    """Name -> this machine's processes of the stage, by their command lines."""
    found = {}
    for p in psutil.process_iter():
        try:
            words = p.cmdline()
            module = next((w for w in words if w in ("areal_lite.master", "areal_lite.generation", "areal_lite.trainer")), "")
            after = words[words.index(module) + 1:] if module else []
            if not after or (Path(p.cwd()) / after[0]).resolve() != directory.resolve():
                continue
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
        number = next((after[after.index(w) + 1] for w in ("--index", "--rank") if w in after), "")
        found[module.removeprefix("areal_lite.") + (f"-{number}" if number else "")] = p
    return found


# -- in words ------------------------------------------------------------------------------------------------------------


def render(f: dict, stage: Stage) -> str:
    """The whole status as text."""
    s = f["status"]
    parts = [headline(f, stage)]
    if s:
        parts += ["", "waiting for: " + s["waiting_for"], *why(f, stage)]
    parts += ["", *_table(["process", "pid", "state", "doing", "for s", "heard s ago", "cpu %", "MB"], [
        [p["name"], p["pid"], p["state"], p.get("doing", ""), _s(p.get("since_s")), _s(_heard(p, f)),
         _s(p.get("cpu_percent")), p.get("memory_mb", "")] for p in f["processes"]])]
    if s and s["servers"]:
        parts += ["", *_table(["server", "version", "loading", "places", "running", "queued", "scoring", "generated", "tok/s",
                               "quiet s"], [_server(f, peer) for peer in sorted(s["servers"])])]
    if s:
        parts += ["", *ledger(s)]
    if f["events"]:
        parts += ["", "last events:", *[f"  {_ago(f, e)} {e['event']:<9} {_rest(e)}" for e in f["events"]]]
    return "\n".join(parts)


def headline(f: dict, stage: Stage) -> str:
    """Where the stage is, and whether anybody is still at it."""
    s, last = f["status"], f["last_step"]
    where = f"stage {stage.name} in {f['directory']}: version {max(0, s.get('version', last.get('step', 0)))} of {stage.until.steps}"
    if last:
        where += f", newest row {last['age_s']:.0f} s old"
    alive = [p["name"] for p in f["processes"] if p["state"] != "gone"]
    if f["finished"] and not alive:
        return f"{where}. Finished"
    if not alive:
        return f"{where}. NOT RUNNING on this machine: no process of it is left; the launch command with --resume continues it"
    if stage.kind == "sft":
        return f"{where}. Supervised: no master, the ranks wait only for each other"
    age = f["age_s"]
    if "master" not in alive:
        return f"{where}. No master on this machine; " + ("what follows is all from this machine" if age is None else
                                                          f"what follows is {age:.0f} s old")
    if age is None:
        return f"{where}. The master is starting: it has not written status.json yet"
    if age > STALE_S:
        state = next(p["state"] for p in f["processes"] if p["name"] == "master")
        return f"{where}. THE MASTER HAS NOT WRITTEN FOR {age:.0f} s, its process is {state}; see --stacks"
    still = s["still_s"]
    return f"{where}, live {s['live']}" + (f". NOTHING HAS MOVED FOR {still:.0f} s (ends at {stage.cluster.hang_s:g} s)"
                                           if still > max(30.0, stage.cluster.hang_s / 10) else "")


def why(f: dict, stage: Stage) -> list[str]:
    """The arithmetic behind it: the gate, the places, the oldest ticket, the slowest server."""
    s, a = f["status"], stage.algorithm
    if s["version"] < 0:
        return []
    left = max(0, s["gate"] - s["next_ticket"])
    places, taken = (sum(v[key] for v in s["servers"].values()) for key in ("capacity", "owed"))
    best = max((v["capacity"] - v["owed"] for v in s["servers"].values()), default=0)
    lines = [f"gate:    tickets below (live {s['live']} + max_staleness {a.max_staleness} + 1) x {a.prompts_per_step} = {s['gate']} "
             f"may be out (never more than {s['end']} x {a.prompts_per_step}); the next is {s['next_ticket']}, so {left} may go",
             f"places:  {taken} of {places} taken on {len(s['servers'])} servers; a group needs {a.group_size} on one, the "
             f"emptiest has {best}" + (f"; {s['reissue']} tickets wait for a place before any new one" if s["reissue"] else "")]
    for t in s.get("oldest", [])[:1]:
        owes = ", ".join(map(str, t["owes"]))
        lines.append(f"oldest:  {t['purpose']} ticket {t['k']}" + (f" (attempt {t['attempt']})" if t["attempt"] else "") +
                     f", out for {t['age_s']:.1f} s, {t['peer'] or 'to be issued again'} owes samples {owes}")
    if slow := slowest(f):
        lines.append("slowest: " + slow)
    return lines


def slowest(f: dict) -> str:
    """The server that holds up most: one that stands still, else the one with the fewest tokens per second."""
    s = f["status"]
    busy = [p for p, v in s["servers"].items() if v["owed"]]
    if not busy:
        return ""
    quiet = s.get("quiet_s", {})
    still = max(busy, key=lambda p: quiet.get(p, 0.0))
    if quiet.get(still, 0.0) > STALE_S:
        return f"{still} owes {s['servers'][still]['owed']} answers and has made no token for {quiet[still]:.0f} s"
    slow = min(busy, key=lambda p: _rate(f, p))
    return f"{slow} with {_rate(f, slow):.0f} tokens/s since it joined, owes {s['servers'][slow]['owed']} answers"


def ledger(s: dict) -> list[str]:
    """Where the tokens went, since the master started."""
    book = s["ledger"]
    waiting = book["received"] - sum(book[w] for w in PLACES)
    flight = sum(max(0, v["generated"] - v["delivered"]) for v in s["servers"].values())
    rows = [[w, book[w], f"{book[w] / max(book['received'], 1):.1%}"] for w in PLACES]
    rows += [["waiting", waiting, f"{waiting / max(book['received'], 1):.1%}"], ["= received", book["received"], ""],
             ["in flight", flight, ""], ["lost, generated again", book["lost"], ""]]
    return _table(["tokens", "count", "share"], rows)


def _server(f: dict, peer: str) -> list:
    v, beat = f["status"]["servers"][peer], f["status"]["processes"].get(peer, {})
    return [peer, v["version"], v["loading"] if v["loading"] >= 0 else "", f"{v['owed']}/{v['capacity']}",
            *[_s(beat.get(k), 0) for k in ("running", "queued", "scoring")], v["generated"], f"{_rate(f, peer):.0f}",
            _s(f["status"].get("quiet_s", {}).get(peer))]


def _rate(f: dict, peer: str) -> float:
    """Tokens per second from the server's Hello to the status."""
    return f["status"]["servers"][peer]["generated"] / max(f["joined_s"].get(peer, 0.0) - f["age_s"], 1e-3)


def _heard(p: dict, f: dict) -> float | None:
    return p["silent_s"] + f["age_s"] if "silent_s" in p and f["age_s"] is not None else None


def _ago(f: dict, event: dict) -> str:
    return f"{f['now'] - event['time']:8.1f} s ago"


def _rest(event: dict) -> str:
    return " ".join(f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}" for k, v in event.items() if k not in ("time", "event"))


def _s(x: float | None, digits: int = 1) -> str:
    return "" if x is None else f"{x:.{digits}f}"


def _table(head: list[str], rows: list[list]) -> list[str]:
    cells = [head, *[[str(c) if c is not None else "" for c in row] for row in rows]]
    wide = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return ["  ".join(c.ljust(w) for c, w in zip(row, wide, strict=True)).rstrip() for row in cells]


# -- stacks --------------------------------------------------------------------------------------------------------------


def stacks(directory: Path) -> str:
    """Ask every local process of the stage, and its children, for its stack; what their logs gained within DUMP_S."""
    asked, before = {}, {}
    for name, p in _running(directory).items():
        log = directory / "logs" / f"{name}.log"
        before[name] = log.stat().st_size if log.exists() else 0
        asked[name] = [q.pid for q in _family(p) if _listens(q.pid)]
        for pid in asked[name]:
            os.kill(pid, signal.SIGUSR1)
    end, gained = time.monotonic() + DUMP_S, {}
    while time.monotonic() < end:
        last, gained = gained, {name: _since(directory / "logs" / f"{name}.log", at) for name, at in before.items()}
        if gained == last and all(text.count("(most recent call first)") >= len(asked[name]) for name, text in gained.items()):
            break
        time.sleep(0.1)
    parts = []
    for name, text in gained.items():
        state = "" if text.strip() else f"nothing within {DUMP_S:g} s; it is stopped, or has no handler for SIGUSR1 yet"
        parts.append(f"--- stacks of {name} (pids {', '.join(map(str, asked[name])) or 'none asked'})\n{text.strip() or state}")
    return "\n".join(parts) or "no process of this stage runs on this machine"


def _family(p: psutil.Process) -> list[psutil.Process]:
    try:
        return [p, *p.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _listens(pid: int) -> bool:
    """The process catches SIGUSR1; to any other the signal would be deadly."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (signal.SIGUSR1 - 1) & 1)


def _since(log: Path, at: int) -> str:
    if not log.exists():
        return ""
    with open(log, errors="replace") as source:
        source.seek(at)
        return source.read()


def main(words: list[str] | None = None) -> int:
    """Exit status: 0, or 2 when there is no run."""
    parser = argparse.ArgumentParser(prog="python -m areal_lite.status", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN", help="run directory, or the directory of one of its stages")
    parser.add_argument("--stacks", action="store_true", help="also ask this machine's processes for their stacks (SIGUSR1)")
    parser.add_argument("--follow", action="store_true", help=f"again every {FOLLOW_S:g} s until nothing runs any more")
    parser.add_argument("--json", action="store_true", help="the facts as one line of JSON")
    options = parser.parse_args(words)
    try:
        while True:
            directory = stage_of(options.run)
            f = facts(directory)
            if options.follow and sys.stdout.isatty():
                print("\033[2J\033[H", end="")
            print(json.dumps(f) if options.json else render(f, read_stage(directory)), flush=True)
            if options.stacks:
                print("\n" + stacks(directory), flush=True)
            if not options.follow or all(p["state"] == "gone" for p in f["processes"]):
                return 0
            time.sleep(FOLLOW_S)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
