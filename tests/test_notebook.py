"""A notebook that is run: what stands below its cells, and how long work shows itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import jjjpolicy as jp

INSTALL = "needs a notebook kernel: pip install nbclient ipykernel"
nbclient = pytest.importorskip("nbclient", reason=INSTALL)
pytest.importorskip("ipykernel", reason=INSTALL)
nbformat = pytest.importorskip("nbformat", reason=INSTALL)

DATA = """
import numpy as np, pandas as pd, jjjpolicy as jp
rng = np.random.default_rng(1)
quarters = pd.period_range("2017Q2", periods=12, freq="Q")
frame = pd.DataFrame(
    [
        {"city": f"c{i}", "quarter": q, "output": i + t + rng.normal(),
         "treated": "yes" if i == 0 and t >= 8 else "no"}
        for i in range(9) for t, q in enumerate(quarters)
    ]
)
design = jp.Design.from_frame(
    frame, unit="city", time="quarter", outcome="output", treatment="treated"
)
estimate = jp.synth.SyntheticControl().fit(design).with_inference(jp.inference.PlaceboUnits())
"""
SHOWN = {
    "design": "Design: output",
    "estimate": "SyntheticControl: effect on output",
    "jp.compare({'SC': estimate})": "Estimates side by side",
    "jp.load('provinces', vintage='nbs_2024')": "Panel provinces",
    "jp.policies['tax-sharing-2015']": "Rule on sharing tax revenue",
}
DONE = """
from jjjpolicy.estimation.progress import track
done = list(track(range(40), "short"))
"""
WORK = """
work = track(range(50), "working <hard>")
held = [next(work) for _ in range(31)]
"""


@pytest.fixture(scope="module")
def outputs() -> list[list[Any]]:
    """Outputs of each cell, run in a kernel that finds this package."""
    cells = [DATA, *SHOWN, "jp.set_language('zh')", "estimate", DONE, WORK]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(jp.__file__).parents[1]))
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell["outputs"] for cell in notebook.cells]


@pytest.mark.parametrize("cell", SHOWN)
def test_objects_are_tables_in_three_line_style_below_their_cell(
    outputs: list[list[Any]], cell: str
) -> None:
    (output,) = outputs[1 + list(SHOWN).index(cell)]
    html = output["data"]["text/html"]
    assert SHOWN[cell] in html
    assert html.count("<table>") == html.count("jjj-table table{border-collapse")
    assert "border-top:2px solid;border-bottom:2px solid" in html
    assert "array(" not in html
    assert len(output["data"]["text/plain"]) < 1200
    assert "array(" not in output["data"]["text/plain"]


def test_a_notebook_says_what_the_summary_says(outputs: list[list[Any]]) -> None:
    (output,) = outputs[1 + list(SHOWN).index("estimate")]
    for told in ("88.9% interval", "2019Q2", "8 never treated", "By event time", "1/9"):
        assert told in output["data"]["text/html"]


def test_objects_speak_the_language_that_is_set(outputs: list[list[Any]]) -> None:
    (output,) = outputs[-3]
    html = output["data"]["text/html"]
    assert "合成控制法（SyntheticControl）：对output的影响" in html
    assert 'lang="zh-Hans"' in html
    assert "88.9% 区间" in html


def test_long_work_has_a_bar_below_its_cell(outputs: list[list[Any]]) -> None:
    (bar,) = outputs[-1]
    html = bar["data"]["text/html"]
    assert "working &lt;hard&gt;" in html
    assert '<progress value="30" max="50">' in html
    assert "30/50" in html
    assert "left" in html


def test_the_bar_goes_when_the_work_is_done(outputs: list[list[Any]]) -> None:
    (bar,) = outputs[-2]
    assert bar["data"]["text/html"] == ""
