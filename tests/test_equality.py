"""Objects that hold tables and arrays can be compared and put into sets."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jjjpolicy as jp
from jjjpolicy.estimation.options import Options

UNITS = ["a", "b", "c"]


def table(last: float = 2.0, units: list[str] = UNITS) -> pd.DataFrame:
    values = np.array([[0.0, 1.0, last], [1.0, 0.0, 3.0], [last, 3.0, 0.0]])
    return pd.DataFrame(values, units, units)


HOLDING_A_TABLE: dict[str, Callable[[pd.DataFrame], Any]] = {
    "DistanceDecay": lambda t: jp.synth.DistanceDecay(10, t),
    "Rings": lambda t: jp.synth.Rings([1.0, 2.0], t),
    "Links": jp.synth.Links,
    "SpilloverSyntheticControl": lambda t: jp.synth.SpilloverSyntheticControl(jp.synth.Links(t)),
    "InclusiveSyntheticControl": lambda t: jp.synth.InclusiveSyntheticControl(jp.synth.Links(t)),
    "ExposureMatrix": jp.did.ExposureMatrix,
    "ExponentialDecay": lambda t: jp.did.ExponentialDecay(10, distances=t),
    "SpilloverExposure": lambda t: jp.did.SpilloverExposure(jp.did.ExposureMatrix(t)),
    "SpilloverRings": lambda t: jp.did.SpilloverRings(distances=t),
    "ConditionalRandomization": lambda t: jp.inference.ConditionalRandomization(1.0, t),
    "RandomizationInference": lambda t: jp.inference.RandomizationInference(mechanism=t.to_numpy()),
}


@pytest.mark.parametrize("name", HOLDING_A_TABLE)
def test_options_with_tables_are_equal_if_the_tables_are(name: str) -> None:
    make = HOLDING_A_TABLE[name]
    assert make(table()) == make(table().copy())
    assert make(table()) != make(table(last=5.0))
    assert make(table()) != "something else"
    assert len({make(table()), make(table().copy()), make(table(last=5.0))}) == 2


def test_labels_of_a_table_count_for_equality() -> None:
    assert jp.synth.Links(table()) != jp.synth.Links(table(units=["a", "b", "d"]))
    assert jp.synth.Rings([1.0], table()) != jp.synth.Rings([1.0])
    assert jp.synth.Rings([1.0]) != jp.synth.Rings([1.0], table())


def test_options_without_tables_are_equal_by_value_and_by_class() -> None:
    assert jp.synth.FreeEffects(["a"]) == jp.synth.FreeEffects(("a",))
    assert jp.synth.FreeEffects(["a"]) != jp.synth.CommonEffect(["a"])
    assert jp.inference.PlaceboUnits(seed=1) != jp.inference.PlaceboUnits(seed=2)
    assert hash(jp.inference.PlaceboUnits()) == hash(jp.inference.PlaceboUnits())


HOLDS = re.compile(r"\b(Floats|Booleans|Integers|DataFrame|Series|ndarray|NDArray|Index)\b")


def dataclasses_of_the_package() -> Iterator[type[Any]]:
    for found in pkgutil.walk_packages(jp.__path__, "jjjpolicy."):
        if found.name.endswith("__main__"):
            continue
        for each in vars(importlib.import_module(found.name)).values():
            own = inspect.isclass(each) and each.__module__ == found.name
            if own and dataclasses.is_dataclass(each):
                yield each


def test_no_object_that_holds_arrays_compares_them_as_if_they_were_one_number() -> None:
    """Options by content; results and designs are equal to themselves alone."""
    wrong = [
        each.__name__
        for each in dataclasses_of_the_package()
        if any(HOLDS.search(str(item.type)) for item in dataclasses.fields(each))
        and not issubclass(each, Options)
        and each.__eq__ is not object.__eq__
    ]
    assert wrong == []


def test_results_equal_themselves_alone_and_can_be_kept_in_a_set() -> None:
    result = jp.estimation.results.InferenceResult(name="a test", reference=np.zeros(3))
    assert result == result
    assert result != replace(result)
    assert len({result, replace(result)}) == 2
