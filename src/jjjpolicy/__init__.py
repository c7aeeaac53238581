"""Policy evaluation with few treated regions: the 2015 Jing-Jin-Ji policies, and any panel.

Submodules load on first use, so that importing the package stays fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from jjjpolicy import did, fiscal, indicators, inference, linalg, relocation, sensitivity, synth
    from jjjpolicy.design.design import Design
    from jjjpolicy.design.intake.files import read_table
    from jjjpolicy.errors import (
        DataError,
        DesignError,
        InferenceError,
        JJJPolicyError,
        JJJPolicyWarning,
    )
    from jjjpolicy.estimation.estimate import Estimate
    from jjjpolicy.panels.datasets import dictionary, load, vintages
    from jjjpolicy.panels.panel import Panel
    from jjjpolicy.panels.variable import Variable
    from jjjpolicy.registry import regions
    from jjjpolicy.registry.platform import platforms
    from jjjpolicy.registry.policy import Policy, policies
    from jjjpolicy.report.estimates.comparison import compare
    from jjjpolicy.report.text import set_language

_MODULES = (
    "did",
    "fiscal",
    "indicators",
    "inference",
    "linalg",
    "relocation",
    "sensitivity",
    "synth",
)
_NAMES = {
    "load": "panels.datasets",
    "vintages": "panels.datasets",
    "dictionary": "panels.datasets",
    "Design": "design.design",
    "Estimate": "estimation.estimate",
    "read_table": "design.intake.files",
    "Panel": "panels.panel",
    "platforms": "registry.platform",
    "Policy": "registry.policy",
    "policies": "registry.policy",
    "Variable": "panels.variable",
    "compare": "report.estimates.comparison",
    "set_language": "report.text",
    "JJJPolicyError": "errors",
    "JJJPolicyWarning": "errors",
    "DataError": "errors",
    "DesignError": "errors",
    "InferenceError": "errors",
}

__all__ = [
    "DataError",
    "Design",
    "DesignError",
    "Estimate",
    "InferenceError",
    "JJJPolicyError",
    "JJJPolicyWarning",
    "Panel",
    "Policy",
    "Variable",
    "compare",
    "dictionary",
    "did",
    "fiscal",
    "indicators",
    "inference",
    "linalg",
    "load",
    "platforms",
    "policies",
    "read_table",
    "regions",
    "relocation",
    "sensitivity",
    "set_language",
    "synth",
    "vintages",
]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        found = getattr(import_module(f"jjjpolicy.{_NAMES[name]}"), name)
    elif name in _MODULES:
        found = import_module(f"jjjpolicy.{name}")
    elif name == "regions":
        found = import_module("jjjpolicy.registry.regions")
    elif name == "__version__":
        found = _version()
    else:
        raise AttributeError(f"module 'jjjpolicy' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_NAMES, *_MODULES, "regions"})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("jjjpolicy")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0+unknown"
