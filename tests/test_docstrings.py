"""The reference is complete: parameters, shapes of what comes back, errors and sources are stated.

A result that documents itself needs no section on what a function returns, a method that takes one
thing none on its parameter, and one that overrides another is documented there.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

import jjjpolicy as jp
from jjjpolicy.estimation.estimate import Estimator, Inference

ROOMS = (
    *("did", "synth", "inference", "sensitivity"),
    *("indicators", "fiscal", "relocation", "linalg", "report"),
)
TABLES = re.compile(r"DataFrame|Series|tuple|Floats|Mapping|dict")


def public() -> dict[str, Any]:
    """Every public class and function by name."""
    named = {f"jp.{name}": getattr(jp, name) for name in jp.__all__}
    for room in ROOMS:
        module = import_module(f"jjjpolicy.{room}")
        named |= {f"{room}.{name}": getattr(module, name) for name in module.__all__}
    return {
        name: each
        for name, each in named.items()
        if inspect.isclass(each) or inspect.isfunction(each)
    }


PUBLIC = public()
METHODS = {
    f"{name}.{key}": getattr(found, "__func__", found)
    for name, cls in PUBLIC.items()
    if inspect.isclass(cls)
    for key, found in vars(cls).items()
    if not key.startswith("_") and inspect.isfunction(getattr(found, "__func__", found))
}
FUNCTIONS = {name: each for name, each in PUBLIC.items() if inspect.isfunction(each)} | METHODS
CLASSES = {name: each for name, each in PUBLIC.items() if inspect.isclass(each)}
SOURCED = {
    name: cls
    for name, cls in CLASSES.items()
    if issubclass(cls, Estimator | Inference) and name != "synth.HeldWeights"  # another's weights
}


def sections(thing: Any) -> dict[str, list[str]]:
    """Lines of a docstring by numpydoc section; what comes before the first one under ''."""
    lines = inspect.cleandoc(thing.__doc__ or "").split("\n")
    found: dict[str, list[str]] = {"": []}
    current = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if re.fullmatch("-{3,}", below) and len(below) == len(line):
            current = line
            found[current] = []
        elif not re.fullmatch("-{3,}", line):
            found[current].append(line)
    return found


def listed(lines: list[str]) -> set[str]:
    """Names that a section lists, one or several a line."""
    heads = [line.partition(" : ")[0] for line in lines if line and not line.startswith(" ")]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def parameters(thing: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(thing).parameters) - {"self", "cls"}


def overrides(name: str) -> bool:
    """Whether a method stands in a class above its own, too."""
    owner, _, key = name.rpartition(".")
    return any(key in vars(above) for above in PUBLIC[owner].__mro__[1:])


@pytest.mark.parametrize("name", PUBLIC | METHODS)
def test_everything_public_says_what_it_is(name: str) -> None:
    assert ((PUBLIC | METHODS)[name].__doc__ or "").strip()


@pytest.mark.parametrize("name", CLASSES)
def test_classes_document_what_they_are_made_of(name: str) -> None:
    cls, found = CLASSES[name], sections(CLASSES[name])
    if issubclass(cls, Exception | Warning) or not parameters(cls):
        return
    stated = listed(found.get("Parameters", [])) | listed(found.get("Attributes", []))
    assert parameters(cls) <= stated, f"not documented: {sorted(parameters(cls) - stated)}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_documented_are_those_of_the_signature(name: str) -> None:
    function, found = FUNCTIONS[name], sections(FUNCTIONS[name])
    small = name in METHODS and (len(parameters(function)) < 2 or overrides(name))
    if parameters(function) and ("Parameters" in found or not small):
        assert listed(found.get("Parameters", [])) == parameters(function)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors_raised_are_documented(name: str) -> None:
    source = textwrap.dedent(inspect.getsource(FUNCTIONS[name]))
    raised = {
        node.exc.func.id
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
        and node.exc.func.id.endswith("Error")
    }
    assert all(error in (FUNCTIONS[name].__doc__ or "") for error in raised)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - set(METHODS)))
def test_tables_and_arrays_that_come_back_are_described(name: str) -> None:
    annotation = str(inspect.signature(FUNCTIONS[name]).return_annotation)
    if TABLES.search(annotation):
        assert any(line.strip() for line in sections(FUNCTIONS[name]).get("Returns", []))


@pytest.mark.parametrize("name", SOURCED)
def test_methods_name_their_source(name: str) -> None:
    assert re.search(r"\b(19|20)\d\d\b", SOURCED[name].__doc__ or "")
