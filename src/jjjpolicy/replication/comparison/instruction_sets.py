"""Instruction sets under which results can be rebuilt on one machine, as on another processor.

NumPy, the linear algebra (OpenBLAS) and the C library choose at start between code for older and
for newer processors. Which they take is set by environment variables of the process; with less
than the processor offers, sums are rounded as they are on another one.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jjjpolicy.errors import DataError


@dataclass(frozen=True)
class InstructionSet:
    """What of a processor may be used.

    Attributes
    ----------
    name : str
    about : str
    core : str
        OpenBLAS's name of the processor whose code is to run.
    needs : tuple of frozenset of str
        Features that the processor must have, as NumPy names them; each in one of several ways.
    without : str
        Regular expression of the features that NumPy is not to use.
    hidden : tuple of str
        Features that the GNU C library is not to use, by its names.
    """

    name: str
    about: str
    core: str
    needs: tuple[frozenset[str], ...]
    without: str
    hidden: tuple[str, ...]


_NEWER = r"AVX512.*|X86_V4"
_AVX2 = frozenset({"AVX2", "X86_V3"})
_FMA = frozenset({"FMA3", "X86_V3"})
_AVX512 = frozenset({"AVX512_SKX", "X86_V4"})
SETS = {
    each.name: each
    for each in (
        InstructionSet(
            "baseline",
            "no AVX, no fused multiply-add",
            "Prescott",
            (),
            ".*",
            ("AVX2", "FMA", "FMA4"),
        ),
        InstructionSet("haswell", "AVX2 and FMA", "Haswell", (_AVX2, _FMA), _NEWER, ()),
        InstructionSet("skylakex", "AVX-512", "SkylakeX", (_AVX512,), "(?!)", ()),
    )
}


def environment(name: str) -> dict[str, str]:
    """Environment variables under which a process computes with an instruction set.

    Raises
    ------
    DataError
        The set is unknown, this machine lacks it, or NumPy and SciPy are not built so that it can
        be chosen.
    """
    if name not in SETS:
        known = "; ".join(f"{each.name} ({each.about})" for each in SETS.values())
        raise DataError(f"no instruction set {name!r}. There are: {known}.")
    chosen = SETS[name]
    if platform.machine().lower() not in ("x86_64", "amd64"):
        raise DataError(
            f"instruction sets are those of x86-64; this machine is {platform.machine()}. Compare "
            "with one of the other kind by jjjpolicy verify."
        )
    found, optional = _features()
    lacking = [min(ways) for ways in chosen.needs if not ways & found]
    if lacking:
        raise DataError(
            f"this processor has no {', '.join(lacking)}, which instruction set {name!r} "
            f"({chosen.about}) needs. Choose another: {', '.join(n for n in SETS if n != name)}."
        )
    disabled = [feature for feature in optional if re.fullmatch(chosen.without, feature)]
    hidden = ",".join(f"-{feature}" for feature in chosen.hidden)
    variables = {
        "OPENBLAS_CORETYPE": chosen.core,
        "OPENBLAS_NUM_THREADS": "1",
        "NPY_DISABLE_CPU_FEATURES": " ".join(disabled),
        **({"GLIBC_TUNABLES": f"glibc.cpu.hwcaps={hidden}"} if hidden else {}),
    }
    _probe(name, tuple(variables.items()))
    return variables


def _features() -> tuple[set[str], list[str]]:
    """Features that the processor has, and those of them that NumPy can do without."""
    import numpy as np

    facts: Any = np.show_config(mode="dicts")
    extensions: Mapping[str, list[str]] = facts.get("SIMD Extensions", {})
    optional = extensions.get("found", [])
    return {*extensions.get("baseline", []), *optional}, optional


@cache
def _probe(name: str, variables: tuple[tuple[str, str], ...]) -> None:
    """Start a process under the variables and ask NumPy's and SciPy's OpenBLAS what they run."""
    done = subprocess.run(
        [sys.executable, "-c", "import numpy.linalg, scipy.linalg"],
        env={**os.environ, **dict(variables), "OPENBLAS_VERBOSE": "2"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    if done.returncode != 0:
        raise DataError(f"Python does not start under instruction set {name!r}: {said[-200:]}")
    cores = re.findall(r"^Core: (\S+)", said, re.MULTILINE)
    if len(cores) < 2 or "not found" in said:
        raise DataError(
            f"instruction set {name!r} cannot be chosen here: the linear algebra of NumPy or SciPy "
            "is not an OpenBLAS that holds code for several processors. Install their wheels from "
            "the lock file."
        )
