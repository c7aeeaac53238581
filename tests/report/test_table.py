import math
import zipfile
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jjjpolicy.errors import DataError
from jjjpolicy.report import (
    Column,
    Number,
    Panel,
    PValue,
    Row,
    StandardError,
    Table,
    Text,
    format_number,
    format_pvalue,
)
from jjjpolicy.report.tables.layout import lay_out

AWKWARD = "50% & R_D #1 $x$ <script>alert(1)</script> =cmd 中文 😀 | [a] ~^\\{}"


ONE = Number(1.0)


def one_cell(label="row", cell=ONE, **options):
    return Table(
        "t",
        options.pop("caption", "c"),
        (Column("x"),),
        (Panel("", (Row(label, (cell,)),)),),
        **options,
    )


def word_text(path: Path) -> str:
    from docx import Document

    document = Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(p.text for p in document.paragraphs), *cells])


@pytest.mark.parametrize(
    ("value", "digits", "printed"),
    [
        (-1.2345, 2, "−1.23"),
        (-0.0004, 3, "0.000"),
        (None, 3, "–"),
        (math.nan, 3, "–"),
        (-math.inf, 3, "−∞"),
        (3, 0, "3"),
    ],
)
def test_numbers_have_a_true_minus_and_no_negative_zero(value, digits, printed):
    assert format_number(value, digits) == printed


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_printed_number_reads_back_within_rounding(value, digits):
    printed = format_number(value, digits).replace("−", "-")
    assert abs(float(printed) - value) <= 0.5001 * 10.0**-digits


def test_small_pvalue_is_never_zero():
    assert format_pvalue(0.0004) == "<0.001"
    assert format_pvalue(0.0005) == "0.001"
    assert format_pvalue(1 / 31) == "0.032"


def test_missing_number_needs_a_reason_and_prints_it():
    with pytest.raises(DataError, match=r"row 'row', column 'x'.*missing="):
        one_cell(cell=Number(None))
    table = one_cell(cell=Number(math.nan), missing=Text("too few years.", "年份过少。"))
    assert "–: too few years." in table.to_markdown()
    assert "–：年份过少。" in table.to_html("zh")


def test_row_of_wrong_length_is_refused():
    with pytest.raises(DataError, match="2 cells for 1 columns"):
        Table("t", "c", (Column("x"),), (Panel("", (Row("r", ("a", "b")),)),))


def test_awkward_id_is_refused():
    with pytest.raises(DataError, match="lower-case"):
        Table("A b", "c", (), ())


def test_latex_escapes_every_special_character():
    latex = one_cell(AWKWARD, caption=AWKWARD, notes=(AWKWARD,)).to_latex()
    assert r"50\% \& R\_D \#1 \$x\$" in latex
    assert r"\textbar{} {[}a] \textasciitilde{}\textasciicircum{}\textbackslash{}\{\}" in latex
    assert "中文" in latex


def test_html_runs_no_script():
    html = one_cell(AWKWARD, caption=AWKWARD, notes=(AWKWARD,)).to_html()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_markdown_row_keeps_its_cells():
    from html import unescape

    row = one_cell("a|b_c*d <i>").to_markdown().splitlines()[4]
    assert unescape(row) == r"| a\|b\_c\*d <i> | 1.000 |"


def test_word_shows_the_text_as_it_is(tmp_path):
    path = tmp_path / "t.docx"
    one_cell(AWKWARD, caption=AWKWARD, notes=(AWKWARD,)).to_docx(path)
    assert word_text(path).count(AWKWARD) == 3


def test_word_has_three_lines_and_chinese_font(tmp_path):
    path = tmp_path / "t.docx"
    one_cell().to_docx(path, language="zh")
    with zipfile.ZipFile(path) as archive:
        document = archive.read("word/document.xml").decode()
        styles = archive.read("word/styles.xml").decode()
    assert document.count('<w:top w:val="single" w:sz="12"') == 2
    assert document.count('<w:bottom w:val="single" w:sz="6"') == 2
    assert document.count('<w:bottom w:val="single" w:sz="12"') == 2
    assert '<w:left w:val="single"' not in document
    assert 'w:eastAsia="宋体"' in styles
    assert "Times New Roman" in styles


def test_spanning_headings_and_panels_keep_their_place():
    did = Text("DiD", "双重差分")
    table = Table(
        "t",
        "c",
        (Column("a", did), Column("b", did), Column("c")),
        (Panel(Text("Panel", "面板"), (Row("r", (Number(1), Number(2), Number(3))),)),),
    )
    assert r"\multicolumn{2}{c}{双重差分}" in table.to_latex("zh")
    assert r"\cmidrule(lr){2-3}" in table.to_latex()
    assert r"\multicolumn{4}{l}{\textit{Panel}}" in table.to_latex()
    assert '<th colspan="2" scope="colgroup"><span>DiD</span></th>' in table.to_html()
    assert "| DiD: a | DiD: b | c |" in table.to_markdown()


cells = st.one_of(
    st.builds(Number, st.floats(-1e4, 1e4), st.integers(0, 4)),
    st.builds(StandardError, st.floats(0, 1e3)),
    st.builds(PValue, st.floats(0, 1)),
)


@given(st.lists(cells, min_size=1, max_size=6))
def test_cells_of_a_column_are_equally_wide_on_both_sides_of_the_point(column):
    table = Table(
        "t", "c", (Column("x"),), (Panel("", tuple(Row("r", (cell,)) for cell in column)),)
    )
    sides = []
    for line in lay_out(table, "en").lines:
        (entry,) = line.entries
        head, point, tail = entry.text.partition(".")
        sides.append((_shape(entry.before + head), _shape(point + tail + entry.after)))
    assert all(first == second for first, second in pairwise(sides))


def _shape(text: str) -> list[str]:
    return sorted("0" if character.isdigit() else character for character in text)


def test_definition_reads_back_unrounded(tmp_path):
    table = one_cell(cell=Number(1 / 3), notes=(Text("a", "甲"),))
    table.save(tmp_path)
    assert Table.load(tmp_path / "t.json") == table


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        one_cell(AWKWARD).save(tmp_path / folder)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(names) == 9
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_damaged_definition_is_named(tmp_path):
    path = tmp_path / "t.json"
    path.write_text('{"id": "t"}')
    with pytest.raises(DataError, match=r"t\.json is not a table definition"):
        Table.load(path)


def test_frame_becomes_a_table():
    frame = pd.DataFrame({"n": [3, 4], "mean": [0.5, -1.25]}, index=["Beijing", "Hebei"])
    table = Table.from_frame(frame, id="means", caption="Means", digits=1)
    assert "| Hebei | 4 | −1.2 |" in table.to_markdown()


def test_columns_of_words_wrap_and_are_set_left_in_every_format(tmp_path):
    columns = (Column("claim", width=0.4), Column("value"))
    table = Table("t", "c", columns, (Panel("", (Row("P1", ("a long sentence", ONE)),)),))
    assert "columns: (auto, 40.0%, auto,)" in table.to_typst()
    assert "align: (left, left, center,)" in table.to_typst()
    assert (
        r"\begin{tabular}{l>{\raggedright\arraybackslash}p{0.372\linewidth}c}" in table.to_latex()
    )
    assert '<td class="words" style="width:24.0em">a long sentence' in table.to_html()
    assert "| :-- | :-- | --: |" in table.to_markdown()
    table.save(tmp_path)
    assert Table.load(tmp_path / "t.json") == table


def test_the_width_of_a_column_is_a_part_of_the_text():
    with pytest.raises(DataError, match="between 0 and 1"):
        Column("claim", width=40)


def test_a_frame_of_small_numbers_shows_their_digits_unless_decimals_are_stated():
    frame = pd.DataFrame({"rate": [2.5e-6, 1e-7], "share": [0.25, 0.5]}, index=["a", "b"])
    own = Table.from_frame(frame, id="t", caption="c").to_markdown()
    assert "| a | 0.0000025 | 0.250 |" in own
    assert "| b | 0.0000001 | 0.500 |" in own
    assert (
        "| a | 0.00 | 0.25 |"
        in Table.from_frame(frame, id="t", caption="c", digits=2).to_markdown()
    )
