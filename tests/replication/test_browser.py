"""The results browser: complete, self-contained, escaped, and the same bytes every time."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("jinja2", reason="needs the extra 'paper'")
pytest.importorskip("pylopdf_fonts_zh_cn", reason="needs the extra 'paper'")

import matplotlib
import pandas as pd

import jjjpolicy as jp
from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import Artefacts
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.browser.items import share
from jjjpolicy.replication.browser.page import page, write_browser
from jjjpolicy.report import Column, Figure, Number, Panel, Row, Table, Text
from jjjpolicy.report.figures.data import event_study_plot, placebo_plot
from jjjpolicy.report.figures.panels import PlaceboPanel, draw_placebo_panels

matplotlib.use("Agg")

HOSTILE = "<script>alert('x')</script> & \"quoted\" </script> 中文 😀"
SCRIPT = f'''
"""Simulated: {HOSTILE}"""
import shared

MAKES = ("numbers:gaps", "table:gaps", "figure:gaps", "figure:events")
'''
PAPER = """---
title: "A simulated study & <more>"
---

::: {#fig:gaps .figure}
:::

::: {#tbl:gaps .table}
:::
"""


def write_study(root: Path) -> Study:
    """A study on simulated data whose labels want to be markup."""
    for folder in ("analysis", "data", "paper"):
        (root / folder).mkdir(parents=True)
    (root / "analysis/gaps.py").write_text(SCRIPT, encoding="utf-8")
    (root / "analysis/shared.py").write_text("# shared & <b>bold</b>\n", encoding="utf-8")
    (root / "data/numbers.csv").write_text(f"a,b\n1,<i>{HOSTILE.replace(chr(34), '')}\n")
    (root / "paper/paper.md").write_text(PAPER, encoding="utf-8")
    years = range(2010, 2018)
    placebos = pd.DataFrame({f"p{k}": [0.1 * k] * 8 for k in range(4)}, index=years)
    placebos["p9 <b>"] = [0.01 * year for year in range(8)]
    gap = pd.Series([0.0, 0.01, -0.01, 0.0, 0.0, 0.2, 0.31234, 0.4], years)
    panels = {Text(HOSTILE, "天津"): PlaceboPanel(gap, placebos)}
    label = Text("Gap & <i>", "差距")
    effects = pd.DataFrame(
        {
            "event_time": [-2, -1, 0, 1],
            "estimate": [0.1, 0.0, 0.3, 0.4],
            "lower": [-0.1, None, 0.1, 0.2],
            "upper": [0.3, None, 0.5, 0.6],
            "uniform_lower": [-0.3, 0.0, -0.1, 0.0],
            "uniform_upper": [0.5, 0.0, 0.7, 0.8],
        }
    )

    def draw(language):
        return draw_placebo_panels(
            {"Tianjin": panels[next(iter(panels))]}, policy=2014.5, outcome="gap", language=language
        )

    frame = pd.DataFrame(
        [(u, t, float(u * t % 7), int(u == 0 and t >= 2014)) for u in range(8) for t in years],
        columns=["unit", "period", "y", "d"],
    )
    own = jp.Design.from_frame(frame, unit="unit", time="period", outcome="y", treatment="d")
    bundled = jp.Design.from_policy(
        jp.load("provinces", vintage="nbs_2024"),
        jp.policies["tax-sharing-2015"],
        outcome="log_gdp",
        window=(2010, 2017),
    )
    behind = {
        "own <b>": jp.did.TwoWayFixedEffects().fit(own),
        "bundled": jp.did.TwoWayFixedEffects().fit(bundled),
    }
    names = ("numbers:gaps", "table:gaps", "figure:gaps", "figure:events")
    with Artefacts(root / "analysis/gaps.py", names) as artefacts:
        artefacts.numbers("gaps", {"a": {HOSTILE: 1.5}})
        row = Row(HOSTILE, (Number(0.5),))
        artefacts.table(
            Table("gaps", Text(HOSTILE, "表 & <b>"), (Column("E & <i>"),), (Panel("", (row,)),)),
            behind,
        )
        plot = placebo_plot(panels, policy=2014.5, outcome=label)
        artefacts.figure(Figure("gaps", Text(HOSTILE, "图 & <b>"), draw, (HOSTILE,), plot))
        events = event_study_plot({"": effects}, outcome=label)
        artefacts.figure(Figure("events", "Events", draw, data=events))
    return Study(root)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = write_study(tmp_path_factory.mktemp("browser") / "study")
    write_browser(study)
    return study


@pytest.fixture(scope="module")
def text(study: Study) -> str:
    return (study.output / "browser/index.html").read_text(encoding="utf-8")


class Parsed(HTMLParser):
    """Elements, their attributes, identifiers, and text by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "input", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def having(self, name):
        return [attributes[name] for _, attributes in self.elements if name in attributes]


def test_every_artefact_is_there_with_provenance_code_and_rows(study: Study, text: str) -> None:
    parsed = Parsed(text)
    assert parsed.having("data-artefact") == [
        "figure:gaps", "table:gaps", "figure:events", "numbers:gaps",
    ]  # fmt: skip
    assert not parsed.unbalanced
    assert not parsed.open
    identifiers = parsed.having("id")
    assert len(identifiers) == len(set(identifiers))
    for target in parsed.having("href"):
        assert target.removeprefix("#") in identifiers
    words = "".join(parsed.words)
    sidecar = json.loads((study.output / "provenance/table-gaps.json").read_text())
    for path, value in {**sidecar["inputs"], **sidecar["files"]}.items():
        assert path in words
        assert value[:12] in words
    assert "TwoWayFixedEffects" in words
    assert "MAKES = (" in words
    assert "its provenance does not record" in words  # the rows of one's own data
    assert "gdpnbs_2024248" in re.sub(r"\s", "", words)  # 31 provinces, 8 years
    assert "图1" in words
    assert "北京、天津、河北" in words


def test_nothing_is_asked_for_from_outside(text: str) -> None:
    parsed = Parsed(text)
    for tag, attributes in parsed.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "srcset", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert "default-src 'none'" in text
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    assert set(re.findall(r"https?://[^\"' ]+", script)) == {"http://www.w3.org/2000/svg"}


def test_labels_stay_text(text: str) -> None:
    scripts = [kind for tag, kind in Parsed(text).elements if tag == "script"]
    kinds = [kind.get("type") for kind in scripts]
    figure = ["application/json", "image/svg+xml", "image/svg+xml"]
    assert kinds == [*figure, *figure, None]
    assert "<script>alert" not in text
    assert "<b>bold" not in text
    assert HOSTILE in "".join(Parsed(text).words)
    for block in re.findall(
        r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL
    ):
        assert "<" not in block
        assert json.loads(block)["panels"]


def test_what_artefacts_share_is_shown_once_and_pointed_to(text: str) -> None:
    assert text.count('<details class="script"><summary><span class="en">Code: ') == 1
    assert text.count("MAKES = (") == 1
    elsewhere = re.findall(r'<p class="elsewhere">(.*?)</p>', text, re.DOTALL)
    assert len(elsewhere) == 3  # of four artefacts of one script
    assert all('href="#figure-gaps"' in each for each in elsewhere)


def test_the_lines_of_all_artefacts_of_a_script_are_marked_in_it() -> None:
    def item(path: str, line: int) -> Any:
        script = SimpleNamespace(path=path)
        return SimpleNamespace(
            script=script, line=line, estimates=[line], rows=[], unfound=[], elsewhere={},
            made_lines=set(),
        )  # fmt: skip

    items = [item("a.py", 3), item("b.py", 3), item("a.py", 7)]
    share(items)
    assert [each.made_lines for each in items] == [{3, 7}, {3}, set()]
    assert items[2].elsewhere == {"script": items[0], "rows": items[0]}
    assert items[1].elsewhere == {"estimates": items[0], "rows": items[0]}


def test_figures_wait_until_they_are_seen_and_keep_their_place(study: Study, text: str) -> None:
    parsed = Parsed(text)
    pictures = [attributes for tag, attributes in parsed.elements if tag == "img"]
    assert len(pictures) == 4
    for picture in pictures:
        assert "src" not in picture
        assert picture["data-drawing"] in parsed.having("id")
        assert re.search(r"aspect-ratio:[\d.]+ / [\d.]+", picture["style"] or "")
        assert picture["alt"]
    source = (study.output / "figures/gaps.en.svg").read_text(encoding="utf-8")
    drawn = text.partition('id="drawing-figure-gaps-en">')[2].partition("</script>")[0]
    assert drawn.count("<path") == source.count("<path")
    assert "<!--" not in drawn


def test_a_figure_with_a_script_in_it_is_refused(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    path = study.output / "figures/gaps.en.svg"
    path.write_text(path.read_text().replace("</svg>", "<script>1</script></svg>"))
    with pytest.raises(DataError, match=r"gaps.en.svg holds a script"):
        page(study)


def test_the_data_of_plots_are_those_drawn(study: Study) -> None:
    content = json.loads((study.output / "figures/gaps.json").read_text())["data"]
    (panel,) = content["panels"]
    assert panel["positions"] == [float(year) for year in range(2010, 2018)]
    assert panel["series"][-1]["role"] == "treated"
    assert panel["series"][-1]["values"][6] == 0.31234
    assert [series["role"] for series in panel["series"][:-1]] == ["placebo"] * 5
    events = json.loads((study.output / "figures/events.json").read_text())["data"]
    band, estimates = events["panels"][0]["series"]
    assert (band["role"], band["upper"]) == ("band", [0.5, 0.0, 0.7, 0.8])
    assert estimates["lower"] == [-0.1, None, 0.1, 0.2]
    assert events["policy"] == -0.5


def test_same_results_same_bytes_on_another_path_at_another_time(
    study: Study, text: str, tmp_path: Path
) -> None:
    other = write_study(tmp_path / "elsewhere")
    path = other.output / "provenance/table-gaps.json"
    sidecar = json.loads(path.read_text())
    sidecar["made"] |= {"at": "1999-01-01T00:00:00+00:00", "seconds": 77.0}
    path.write_text(json.dumps(sidecar))
    assert page(other) == text


def test_a_file_edited_by_hand_is_marked(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    path = study.output / "tables/gaps.en.md"
    path.write_text(path.read_text() + "edited")
    words = " ".join(Parsed(page(study)).words)
    assert re.search(r"files differ from their provenance:\s*.*tables/gaps\.en\.md", words)


def test_the_title_is_that_of_each_paper(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    (study.output / "paper.zh.md").write_text("---\ntitle: 模拟研究\n---\n", encoding="utf-8")
    parsed = Parsed(page(study)).words
    assert "模拟研究" in parsed
    assert study.title.en in parsed


def test_an_artefact_that_is_not_made_is_named(tmp_path: Path) -> None:
    study = write_study(tmp_path / "study")
    (study.output / "provenance/figure-events.json").unlink()
    with pytest.raises(DataError, match=r"figure:events has no sound provenance"):
        page(study)


def test_noise_in_what_a_plot_shows_is_written_as_zero() -> None:
    gap = pd.Series([0.0, 3e-16, 0.25], index=[2013, 2014, 2015])
    panel = PlaceboPanel(gap, pd.DataFrame({"b": -gap}))
    (drawn,) = placebo_plot({"A": panel}, policy=2014.5, outcome="y").content()["panels"]
    assert drawn["series"][-1]["values"] == [0.0, 0.0, 0.25]
