"""Who waits for whom, in numbers and in words: a pure function of the scheduler, written to status.json every second."""
from areal_lite.master.scheduler import Scheduler

MORE = 4
"""How many of a kind are named before the rest are only counted."""


def status(s: Scheduler) -> dict:
    """Everything the console and `python -m areal_lite.status` show; JSON-able."""
    P = s.rules.prompts_per_step
    return {
        "step": s.step, "version": s.version, "live": s.live, "end": s.end, "total_steps": s.rules.total_steps,
        "prompts_per_step": P, "next_ticket": s.next_k, "gate": s.gate if s.latest else 0,
        "open_groups": len(s.groups), "whole_groups": len(s.complete), "reissue": len(s.reissue),
        "evaluating": [r.version for r in s.rounds.open],
        "servers": {p: {"version": v.version, "loading": v.loading, "capacity": v.capacity, "owed": v.capacity - v.free,
                        "generated": v.generated, "delivered": v.delivered} for p, v in s.servers.items()},
        "trainers": sorted(s.trainers), "ledger": vars(s.ledger), "duplicates": s.duplicates,
        "waiting_for": waiting_for(s),
    }


def waiting_for(s: Scheduler) -> str:
    """One sentence: what has to happen next, and at whom it lies."""
    if s.latest is None:
        return "the trainer has not published its first version yet"
    if s.finished:
        return "nothing: the stage is finished"
    if len(s.trainers) < s.rules.trainer_ranks:
        return f"{s.rules.trainer_ranks - len(s.trainers)} trainer ranks have not said hello"
    if not s.servers:
        return "no generation server is connected"
    if s.step > s.version:
        return f"the trainer is busy with step {s.step - 1}; {_generation(s)}"
    if s.version >= s.end:
        if s.live < s.end:
            return f"the last version {s.version} is being loaded (live is {s.live}); {_generation(s)}"
        return f"evaluation of version {', '.join(str(r.version) for r in s.rounds.open)}"
    P = s.rules.prompts_per_step
    missing = [k for k in range(s.step * P, (s.step + 1) * P) if len(s.groups.get(k, ())) < s.rules.group_size]
    return f"the trainer waits: step {s.step} lacks {len(missing)} of {P} groups ({_owers(s, missing)}); {_generation(s)}"


def _owers(s: Scheduler, missing: list[int]) -> str:
    """Which tickets, and which servers owe them."""
    owed, wanted = {}, set(missing)
    for peer, server in s.servers.items():
        if n := sum(len(t.samples) for (purpose, k), t in server.tickets.items() if purpose == "train" and k in wanted):
            owed[peer] = n
    named = ", ".join(map(str, missing[:MORE])) + (", ..." if len(missing) > MORE else "")
    at = ", ".join(f"{n} answers at {p}" for p, n in sorted(owed.items(), key=lambda x: -x[1])[:MORE])
    return f"tickets {named}" + (f"; {at}" if at else "; none issued yet")


def _generation(s: Scheduler) -> str:
    """Why no new ticket goes out, if none does."""
    if loading := [f"{p} loads {v.loading}" for p, v in s.servers.items() if v.loading >= 0]:
        return ", ".join(loading[:MORE])
    if s.next_k >= s.gate:
        if s.next_k >= s.end * s.rules.prompts_per_step:
            return "all tickets of this stage are out"
        return (f"ticket {s.next_k} waits for the staleness gate: live {s.live} + max_staleness {s.rules.max_staleness} + 1 "
                f"allows tickets below {s.gate}")
    free = sum(v.free for v in s.servers.values())
    return f"servers have {free} free places for groups of {s.rules.group_size}"
