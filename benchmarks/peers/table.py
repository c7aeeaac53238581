"""The measurements as a Markdown document."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from typing import Any

from peers.busy import PROCESSES
from peers.task import Task

HEAD = (
    "task and package",
    "seconds",
    "processor seconds",
    "ratio",
    "busy machine, seconds (ratio)",
    "first call, seconds",
    "peak memory, MB",
    "estimate",
    "difference to ours",
    "relative difference of standard errors",
)


UNMEASURED = {"absent": "not measured"}


def document(tasks: Mapping[str, Task], measured: Mapping[str, Mapping[str, Any]]) -> str:
    """One table over all tasks, with the facts of the machine and the notes of the tasks."""
    known = _versions(measured)
    versions = [f"{package} {known[package]}" for package in sorted(known, key=str.lower)]
    lines = [
        "# Side by side with other packages",
        "",
        f"{os.cpu_count()} processor cores, {_memory():.0f} GB of memory, "
        f"{platform.system()}, Python {platform.python_version()}; one thread for linear algebra "
        f"where the environment says so (OPENBLAS_NUM_THREADS="
        f"{os.environ.get('OPENBLAS_NUM_THREADS', 'unset')}). Load of the machine, by its own "
        f"count, when each package began: {_loads(measured)}. {', '.join(versions)}.",
        "",
        "Timed from the user's data frame to the estimate, as a user would call it, each package "
        "in a process of its own: the first call, which holds the import and any compilation, "
        "apart; then the median of up to 25 runs within 5 seconds (* first call only, "
        "longer than 45 seconds). Processor seconds add up all threads and child processes, the "
        "least of these runs; other work on the machine, which lengthens seconds, leaves them "
        "nearly alone. The ratio is "
        "processor seconds over ours (seconds where there is none). A busy machine: the same task "
        f"while {PROCESSES} other processes occupy the cores, with as many threads for linear "
        "algebra as a user has who sets none (`python benchmarks/run.py --busy`); median seconds, "
        f"and their ratio to ours{_busy_loads(measured)}. R packages are timed by R's own clock, "
        "once R has read the data. Peak memory is what "
        "the process needed beyond Python, pandas and the data, the imported package included. "
        "All panels are simulated unless stated otherwise. Made by `make bench`.",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|---" * len(HEAD) + "|",
    ]
    notes: dict[str, list[str]] = {}
    for name, task in tasks.items():
        if name not in measured:
            continue
        in_order = {p: measured[name].get(p, UNMEASURED) for p in task.contenders}
        lines += _rows(task, in_order, known)
        if task.note:
            notes.setdefault(task.note, []).append(task.title)
    lines += ["", *(f"- {' and '.join(titles)}: {note}" for note, titles in notes.items())]
    return "\n".join(lines) + "\n"


def _rows(task: Task, found: Mapping[str, Any], known: Mapping[str, str]) -> list[str]:
    own = found.get("jjjpolicy", {})
    seconds = _seconds(own)
    goal = "" if task.goal is None else f"; goal {task.goal:g} s"
    if task.goal is not None and seconds is not None:
        goal += f" **{_verdict(own, seconds, task.goal)}**"
    size = own.get("data", 0)
    data = f"; data {size:.0f} MB" if size >= 1 else ""
    rows = [f"| **{task.title}**{data}{goal} |" + " |" * (len(HEAD) - 1)]
    for package, one in found.items():
        if "absent" in one:
            rows.append(f"| {package}: {one['absent']} |" + " |" * (len(HEAD) - 1))
            continue
        wall = _seconds(one)
        assert wall is not None
        answer = one["answer"]
        ratio = difference = errors = ""
        if "answer" in own and seconds is not None:
            pair = one["processor"], own["processor"]
            ratio = f"{pair[0] / pair[1]:.1f}" if all(pair) else f"{wall / seconds:.1f}"
            if package != "jjjpolicy" and "estimate" in answer:
                difference = f"{answer['estimate'] - own['answer']['estimate']:.1e}"
                if "se" in answer and "se" in own["answer"]:
                    errors = f"{answer['se'] / own['answer']['se'] - 1:.1e}"
        rows.append(
            f"| {package}{_other(one, known)} | {_digits(wall)}{'' if one['runs'] else '*'} "
            f"| {_digits(one['processor'])} | {ratio} | {_busy(one, own)} "
            f"| {_digits(one['first'])} "
            f"| {_memory_used(one['peak'])} | {_estimate(answer)} | {difference} | {errors} |"
        )
    return rows


def _verdict(own: Mapping[str, Any], seconds: float, goal: float) -> str:
    if seconds <= goal:
        return "met"
    processor = own["processor"]
    return "met in processor time" if processor and processor <= goal else "not met"


def _seconds(one: Mapping[str, Any]) -> float | None:
    found = one.get("seconds") or one.get("first")
    return None if found is None else float(found)


def _memory_used(megabytes: float) -> str:
    return f"{megabytes:.0f}" if megabytes >= 1 else "–"


def _estimate(answer: Mapping[str, float]) -> str:
    return f"{answer['estimate']:.8g}" if "estimate" in answer else "–"


def _digits(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.3g}"


def _busy(one: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    seconds, ours = (_seconds(each.get("busy", {})) for each in (one, own))
    if seconds is None:
        return one.get("busy", {}).get("absent", "–")
    return _digits(seconds) + (f" ({seconds / ours:.1f})" if ours else "")


def _loads(measured: Mapping[str, Mapping[str, Any]]) -> str:
    loads = [one["load"] for found in measured.values() for one in found.values() if "load" in one]
    return f"{min(loads):.1f} to {max(loads):.1f}" if loads else "unknown"


def _busy_loads(measured: Mapping[str, Mapping[str, Any]]) -> str:
    busy = {
        name: {package: one["busy"] for package, one in found.items() if "busy" in one}
        for name, found in measured.items()
    }
    return f" (load at the beginning {_loads(busy)})" if any(busy.values()) else ""


def _versions(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Versions that the measurements were made with, the last of each in order of the tasks."""
    versions: dict[str, str] = {}
    for found in measured.values():
        # Ours comes last: what it shares with others is what it was measured with.
        for package in sorted(found, key="jjjpolicy".__eq__):
            versions |= found[package].get("versions", {})
    return versions


def _other(one: Mapping[str, Any], known: Mapping[str, str]) -> str:
    """Versions of shared packages that are not those of the rest of the table."""
    differing = [f"{n} {v}" for n, v in one.get("versions", {}).items() if known[n] != v]
    return f" (with {', '.join(differing)})" if differing else ""


def _memory() -> float:
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
