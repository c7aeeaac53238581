"""Designs that several tests of synthetic controls share."""

from __future__ import annotations

from typing import Any

import pytest

import jjjpolicy as jp


@pytest.fixture
def prop99(prop99_data: Any) -> jp.Design:
    """Cigarette sales; California is treated from 1989 on."""
    return jp.Design.from_frame(
        prop99_data,
        unit="State",
        time="Year",
        outcome="PacksPerCapita",
        treatment="treated",
    )
