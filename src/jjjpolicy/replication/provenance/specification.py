"""From a specification in provenance back to the design, estimator and inference behind it.

Provenance is text; nothing in it is executed. Names are looked up among the estimators and
inference methods, and options are read as literals or as calls of those names with literals.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jjjpolicy.errors import DataError, JJJPolicyError
from jjjpolicy.registry.lookup import unknown_name

if TYPE_CHECKING:
    from jjjpolicy.design.design import Design
    from jjjpolicy.estimation.estimate import Estimate, Estimator, Inference
    from jjjpolicy.panels.panel import Panel


def estimators() -> dict[str, type[Estimator]]:
    """Estimators by name, difference-in-differences first."""
    from jjjpolicy import did, synth
    from jjjpolicy.estimation.estimate import Estimator

    return {
        name: getattr(module, name)
        for module in (did, synth)
        for name in module.__all__
        if isinstance(getattr(module, name), type) and issubclass(getattr(module, name), Estimator)
    }


def inferences() -> dict[str, type[Inference]]:
    """Inference methods by name."""
    from jjjpolicy import inference
    from jjjpolicy.estimation.estimate import Inference

    return {
        name: getattr(inference, name)
        for name in inference.__all__
        if isinstance(getattr(inference, name), type)
        and issubclass(getattr(inference, name), Inference)
    }


def make(kind: str, choices: Mapping[str, type[Any]], name: str, options: Mapping[str, Any]) -> Any:
    """An estimator or inference method by name, with its options as provenance records them.

    Parameters
    ----------
    kind : str
        What is made, for messages.
    choices : mapping of str to class
    name : str
        Upper and lower case, ``-`` and ``_`` do not matter.
    options : mapping
        Values as in JSON, and texts such as ``"NestedSearch(periods=5)"``.

    Raises
    ------
    DataError
        An unknown name or option, or a value that the class refuses.
    """
    cls = _named(kind, choices, name)
    try:
        return cls(**{option: _recorded(each) for option, each in options.items()})
    except (JJJPolicyError, TypeError, ValueError) as error:
        said = str(error).removeprefix(f"{cls.__name__}: ")
        raise DataError(f"{cls.__name__}: {said}") from error


def make_from_texts(
    kind: str, choices: Mapping[str, type[Any]], name: str, options: Mapping[str, str]
) -> Any:
    """An estimator or inference method with options as typed: ``{"seed": "1"}``.

    Raises
    ------
    DataError
        As :func:`make`.
    """
    cls = _named(kind, choices, name)
    plain = {item.name for item in fields(cls) if isinstance(item.default, str)}
    values = {key: each if key in plain else _typed(each) for key, each in options.items()}
    return make(kind, choices, name, values)


def _named(kind: str, choices: Mapping[str, type[Any]], name: str) -> type[Any]:
    folded = {_fold(known): known for known in choices}
    if _fold(name) not in folded:
        raise unknown_name(kind, name, choices)
    return choices[folded[_fold(name)]]


def _recorded(content: Any) -> Any:
    """A value of provenance; lists become tuples, and texts that are calls what they make."""
    if isinstance(content, list):
        return tuple(map(_recorded, content))
    if isinstance(content, str) and content.partition("(")[0] in _parameter_classes():
        return _typed(content)
    return content


def _typed(content: str) -> Any:
    words = {"true": True, "false": False, "none": None}
    if content.strip().lower() in words:
        return words[content.strip().lower()]
    try:
        return _literal(ast.parse(content.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return content


def _literal(node: ast.expr) -> Any:
    """A literal, or a call of a parameter class of the package with literals."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        cls = _parameter_classes().get(node.func.id)
        if cls is not None:
            positional = [_literal(each) for each in node.args]
            return cls(*positional, **{k.arg: _literal(k.value) for k in node.keywords if k.arg})
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_literal(each) for each in node.elts)
    return ast.literal_eval(node)


def _parameter_classes() -> dict[str, type[Any]]:
    from jjjpolicy import did, inference, synth

    return {
        name: getattr(module, name)
        for module in (did, synth, inference)
        for name in module.__all__
        if isinstance(getattr(module, name), type) and is_dataclass(getattr(module, name))
    }


def _fold(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()


def design_of(specification: Mapping[str, Any], vintage: str | None = None) -> Design:
    """The design of a specification as in ``Estimate.provenance``, or under another vintage.

    Raises
    ------
    DataError
        The specification does not hold enough: data of one's own, or provenance of an older
        version of the package.
    DesignError
        The panel under this vintage does not allow the design.
    """
    from jjjpolicy.design.design import Design
    from jjjpolicy.registry.policy import PartialDate, Policy, Treatment

    data = specification["data"]
    needed = ("panel", "vintage", "first_treated", "exclude", "window")
    missing = [name for name in needed if name not in data]
    if missing:
        raise DataError(f"its provenance does not record {', '.join(missing)}")
    treated = {
        code: Treatment(PartialDate(int(year))) for code, year in data["first_treated"].items()
    }
    first = PartialDate(min(int(year) for year in data["first_treated"].values()))
    window = data["window"] or data["periods"]
    return Design.from_policy(
        panel_of(data["panel"], vintage or data["vintage"]),
        Policy(str(data.get("policy", "policy")), first, treated),
        outcome=specification["outcome"],
        window=(int(window[0]), int(window[1])),
        exclude=tuple(data["exclude"]),
        covariates=tuple(data.get("covariates", ())),
        predictors=tuple(data.get("predictors", ())),
        across_breaks=data.get("across_breaks", False),
        changed_areas=data.get("changed_areas", False),
    )


@lru_cache(maxsize=8)
def panel_of(name: str, vintage: str | None) -> Panel:
    """A bundled panel under a recorded vintage.

    Where none was recorded, the outcome comes in one vintage only and any panel that holds it will
    do: the newest is taken. Kept, since many specifications rest on few panels; a panel does not
    change.
    """
    from jjjpolicy.panels.datasets import load, vintages

    known = vintages(name)
    newest = known[-1] if known else None
    return load(name, vintage=vintage if vintage in known else newest)


def estimate_of(specification: Mapping[str, Any], design: Design) -> Estimate:
    """Estimate a design as a specification says.

    Raises
    ------
    DataError
        An estimator, inference method or option is not known.
    """
    chosen = dict(specification["estimator"])
    estimator: Estimator = make("estimator", estimators(), chosen.pop("name"), chosen)
    estimate = estimator.fit(design)
    inference = specification.get("inference")
    if not inference:
        return estimate
    chosen = dict(inference)
    method: Inference = make("inference method", inferences(), chosen.pop("name"), chosen)
    return estimate.with_inference(method)
