"""The castle-doctrine panel of Cheng and Hoekstra (2013), as the causaldata package ships it."""

from __future__ import annotations

import pandas as pd
import pytest


def castle_frame() -> pd.DataFrame:
    """50 states, 2000-2010, with the year of adoption in ``first`` (0 for never)."""
    causaldata = pytest.importorskip("causaldata", reason="the castle data come with causaldata")
    frame = causaldata.castle.load_pandas().data
    columns = ["sid", "year", "l_homicide", "l_larceny", "post"]
    columns += ["unemployrt", "poverty", "popwt"]
    frame = frame[columns].astype({name: float for name in columns if name not in ("sid", "year")})
    first = frame[frame["post"] == 1].groupby("sid")["year"].min()
    frame["first"] = frame["sid"].map(first).fillna(0).astype(int)
    frame["treated"] = ((frame["first"] > 0) & (frame["year"] >= frame["first"])).astype(int)
    return frame
