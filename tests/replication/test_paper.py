import base64
import json
import re
import shutil
import subprocess
import zipfile

import pytest

pytest.importorskip("pypandoc", reason="needs the extra 'paper'")
pytest.importorskip("typst", reason="needs the extra 'paper'")
pytest.importorskip("pylopdf_fonts_zh_cn", reason="needs the extra 'paper'")

import importlib.util
from pathlib import Path

import matplotlib

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.compact import compact
from jjjpolicy.replication.paper.build import build_paper
from jjjpolicy.replication.paper.fill import Results, fill, unsupported

matplotlib.use("Agg")


def _specimen():
    path = Path(__file__).with_name("specimen.py")
    spec = importlib.util.spec_from_file_location("specimen", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    _specimen().write_specimen(folder)
    build_paper(folder)
    build_paper(folder, language="zh")
    return folder


def document_xml(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("word/document.xml").decode()


def test_same_input_gives_the_same_bytes_on_another_path(paper, tmp_path):
    _specimen().write_specimen(tmp_path)
    for path in build_paper(tmp_path):
        assert path.read_bytes() == (paper / path.name).read_bytes(), path.name


def test_no_path_of_this_machine_is_kept(paper):
    places = [str(paper), str(Path(__file__).resolve().parents[2])]
    for path in paper.glob("paper*.docx"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                assert not any(place.encode() in archive.read(name) for place in places), name
    for path in [*paper.glob("paper*.html"), *paper.glob("paper*.tex"), *paper.glob("paper*.pdf")]:
        assert not any(place.encode() in path.read_bytes() for place in places), path.name


def test_numbers_are_filled_from_results(paper):
    html = (paper / "paper.html").read_text()
    assert "The effect is −0.123" in html
    assert re.search(r"fell\s+by\s+12\.3\s+per\s+cent", html)
    assert re.search(r"\(p\s+&lt; 0\.001\)", html)


def test_words_that_no_longer_hold_are_marked_and_listed(paper):
    results = Results(paper / "results")
    falls = 'It moves{{ holds("it falls", values("effects", "gdp/*/att")|max < 0) }}.'
    assert fill(falls, results) == "It moves."
    rises = 'It moves{{ holds("it rises", values("effects", "gdp/*/att")|min > 0) }}.'
    assert fill(rises, results) == "It moves **[no longer so: it rises]**."
    assert unsupported(falls + rises, results) == ["it rises"]


def test_the_words_of_the_paper_hold():
    root = Path(__file__).resolve().parents[2] / "paper"
    for source in sorted(root.glob("paper*.md")):
        text = source.read_text(encoding="utf-8")
        assert unsupported(text, Results(root / "results")) == [], source.name


def test_html_is_self_contained_and_its_references_lead_somewhere(paper):
    html = (paper / "paper.html").read_text()
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    (drawing,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    source = (paper / "figures/gaps.en.svg").read_text(encoding="utf-8")
    assert base64.b64decode(drawing).decode() == compact(source)
    anchors = set(re.findall(r'id="([^"]+)"', html))
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert {"tbl:effects", "fig:gaps", "eq:twfe"} <= links <= anchors
    assert "Table\u00a01" in html
    assert "Figure 1. Simulated gap" in html


def test_latex_numbers_by_itself(paper):
    tex = (paper / "paper.tex").read_text()
    for label in ("tbl:effects", "fig:gaps", "eq:twfe"):
        assert rf"\label{{{label}}}" in tex
        assert rf"\ref{{{label}}}" in tex
    assert r"\usepackage{booktabs}" in tex
    assert r"\toprule" in tex
    assert r"\begin{equation}" in tex


def test_word_has_live_fields_with_cached_numbers(paper):
    xml = document_xml(paper / "paper.docx")
    bookmarks = set(re.findall(r'<w:bookmarkStart w:id="\d+" w:name="([^"]+)"', xml))
    references = re.findall(r'w:instr=" REF (\w+) \\h "><w:r><w:t[^>]*>([^<]+)<', xml)
    assert ("tbl_effects", "Table\u00a01") in references
    assert ("fig_gaps_number", "1") in references
    assert ("eq_twfe_number", "(1)") in references
    assert {name for name, _ in references} <= bookmarks
    assert xml.count(r"SEQ Table \* ARABIC") == 1
    numbers = re.findall(r'<w:bookmarkStart w:id="(\d+)"', xml)
    assert len(numbers) == len(set(numbers))
    assert "<m:oMath>" in xml


def test_word_caption_stands_above_a_table_and_below_a_figure(paper):
    from docx import Document
    from lxml.etree import tostring

    document = Document(str(paper / "paper.docx"))
    body = list(document.element.body)
    tables = [number for number, element in enumerate(body) if element.tag.endswith("}tbl")]
    above = "".join(body[tables[0] - 1].itertext())
    assert "Simulated effects by region" in above
    drawing = next(
        number for number, element in enumerate(body) if "<pic:pic" in tostring(element).decode()
    )
    assert "Simulated gap" in "".join(body[drawing + 1].itertext())


def test_chinese_version_is_chinese_throughout(paper):
    html = (paper / "paper.zh.html").read_text()
    assert "表1　模拟数据的分地区效应" in html
    assert "注：" in html
    assert "参考文献" in html
    assert re.search(r"模型见<a[^>]*>式（1）</a>。", html)
    xml = document_xml(paper / "paper.zh.docx")
    assert "双重差分" in xml
    assert "表1" in xml


def test_chinese_references_are_as_the_national_standard_asks(paper):
    html = (paper / "paper.zh.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", html))
    assert "（Example 和 Other，2010；甲研究所和乙研究所，2019—2021）" in text
    assert "First 等（2022）" in text
    listed = text.rpartition("参考文献")[2].split(". ")
    assert " ".join(listed).strip().startswith("甲研究所, 乙研究所, 2019—2021")
    assert "模拟年鉴[M]" in listed
    assert "北京: 示例出版社" in ". ".join(listed)
    assert "EXAMPLE A, OTHER B, 2010. A made-up article[J]. Journal of Specimens, 1: 1-2." in text
    assert "FIRST A B, SECOND B, THIRD C, et al, 2022. Many authors[J]. " in text
    assert "Journal of Specimens, 3(4): 5-6." in text


def test_pdf_embeds_the_chinese_font(paper):
    assert (paper / "paper.pdf").read_bytes().startswith(b"%PDF")
    assert b"NotoSerifSC" in (paper / "paper.zh.pdf").read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@tbl:nothing", "@tbl:nothing leads nowhere.*tbl:effects"),
        ("::: {#fig:nothing .figure}\n:::", r"fig:nothing needs figures/nothing\.json"),
        ("::: {#effects .table}\n:::", "needs an identifier such as"),
        ("::: {#tbl:effects .table}\n:::", "appears twice"),
        ("[@tbl:effects; @example2010]", "shares its brackets"),
        ("@nobody1999", "nobody1999"),
        ("::: {#eq:x .equation}\nno formula\n:::", r"must hold one \$\$"),
        ("{{ number('effects', 'gdp/hebei/att') }}", r"no 'hebei' under 'gdp' \(tianjin\)"),
        ("{{ number('nothing', 'x') }}", "no result 'nothing'. Results are: effects"),
        ("{{ number('effects', 'gdp') }}", "not a number"),
        ("{{ nombre('effects') }}", "nombre"),
        ("{{ 1 +", "line"),
    ],
)
def test_mistake_in_the_source_is_named(paper, tmp_path, text, message):

    folder = tmp_path / "paper"
    shutil.copytree(paper, folder)
    source = folder / "paper.md"
    source.write_text(source.read_text() + "\n\n" + text + "\n")
    with pytest.raises(DataError, match=f"(?s){message}"):
        build_paper(folder, formats=["html"])


@pytest.fixture(scope="module")
def with_appendix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("appendix")
    _specimen().write_specimen(folder)
    words = "The gaps are in @fig:gaps.\n\n::: {#tbl:effects .table}\n:::\n"
    (folder / "paper.md").write_text(
        "The effects are in @tbl:effects.\n\n::: {#fig:gaps .figure}\n:::\n", encoding="utf-8"
    )
    (folder / "appendix.md").write_text(words, encoding="utf-8")
    build_paper(folder)
    build_paper(folder, name="appendix")
    return folder


def test_paper_and_appendix_refer_to_each_other_by_number(with_appendix):
    def text(name):
        return re.sub(r"<[^>]+>", "", (with_appendix / name).read_text(encoding="utf-8"))

    assert "The effects are in Table\N{NO-BREAK SPACE}A1" in text("paper.html")
    assert "Figure 1. Simulated gap" in text("paper.html")
    assert "The gaps are in Figure\N{NO-BREAK SPACE}1" in text("appendix.html")
    assert "Table A1. Simulated effects by region" in text("appendix.html")
    html = (with_appendix / "paper.html").read_text(encoding="utf-8")
    assert 'href="appendix.html#tbl:effects"' in html
    assert r"Table~A1" in (with_appendix / "paper.tex").read_text(encoding="utf-8")
    tex = (with_appendix / "appendix.tex").read_text(encoding="utf-8")
    assert r"\renewcommand{\thetable}{A\arabic{table}}" in tex
    assert "Figure~1" in tex
    for name, shown in (("paper", "Table\N{NO-BREAK SPACE}A1"), ("appendix", "A")):
        assert shown in document_xml(with_appendix / f"{name}.docx")


def test_a_reference_that_no_document_answers_is_named(with_appendix, tmp_path):
    import shutil

    folder = tmp_path / "paper"
    shutil.copytree(with_appendix, folder)
    (folder / "appendix.md").write_text("Nothing here.\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"@tbl:effects leads nowhere"):
        build_paper(folder, formats=["html"])


def test_missing_source_and_unknown_format_are_named(tmp_path, paper):
    with pytest.raises(DataError, match=r"no paper\.md"):
        build_paper(tmp_path)
    with pytest.raises(DataError, match="'rtf'"):
        build_paper(paper, formats=["rtf"])


def test_templates_cannot_reach_python(paper):
    with pytest.raises(DataError):
        fill("{{ number.__globals__ }}", Results(paper / "results"))


def test_chinese_word_uses_the_fonts_of_chinese_journals(paper):
    with zipfile.ZipFile(paper / "paper.zh.docx") as archive:
        styles = archive.read("word/styles.xml").decode()

    def fonts(style):
        block = re.search(rf'<w:style [^>]*w:styleId="{style}".*?</w:style>', styles, re.DOTALL)
        return re.search(r"<w:rFonts [^>]*>", block[0])[0]

    for style in ("Title", "Heading1", "TableCaption", "ImageCaption"):
        assert 'w:eastAsia="黑体"' in fonts(style)
        assert 'w:ascii="Times New Roman"' in fonts(style)
    assert 'w:eastAsia="宋体"' in fonts("Normal")
    assert re.search(r'<w:lang [^>]*w:eastAsia="zh-CN"', styles)


def test_numbers_of_a_wide_word_table_are_not_broken():
    from jjjpolicy.report import Column, Interval, Panel, Row, Table
    from jjjpolicy.report.tables.layout import lay_out, text_width
    from jjjpolicy.report.tables.word import _widths

    columns = tuple(Column("A heading of several words") for _ in range(4))
    row = Row("Guangdong", tuple(Interval(-0.123, 0.456) for _ in columns))
    widths = _widths(lay_out(Table("wide", "Wide", columns, (Panel("", (row,)),)), "en"))
    assert sum(widths) <= 9000
    for width, text in zip(widths, ["Guangdong", *["[−0.123, 0.456]"] * 4], strict=True):
        assert width > 100 * text_width(text)


def test_columns_of_words_have_the_width_that_they_are_given(tmp_path):
    from jjjpolicy.replication.artefacts.leaves import table_leaves
    from jjjpolicy.report import Column, Number, Panel, Row, Table
    from jjjpolicy.report.tables.layout import lay_out
    from jjjpolicy.report.tables.word import _widths

    columns = (Column("Claim", width=0.4), Column("Verdict", width=0.3), Column("n"))
    row = Row("P1", ("Words " * 60, "More words " * 40, Number(1.5)))
    table = Table("claims", "Claims", columns, (Panel("", (row,)),))
    assert _widths(lay_out(table, "en"))[1:3] == [3600, 2700]
    assert r">{\raggedright\arraybackslash}p{0.372\linewidth}" in table.to_latex("en")
    assert "footnotesize" not in table.to_latex("en").partition("tabular")[0]
    table.save(tmp_path)
    values = dict(table_leaves(json.loads((tmp_path / "claims.json").read_text())))
    assert values["row 1 (P1), n/value"] == 1.5


def test_latex_says_which_engine_and_numbers_chinese_captions(paper):
    assert (paper / "paper.tex").read_text().startswith("% !TEX program = xelatex\n")
    chinese = (paper / "paper.zh.tex").read_text()
    assert "labelsep=quad" in chinese
    assert "labelsep=quad" not in (paper / "paper.tex").read_text()


@pytest.mark.needs("xelatex", install="xelatex with ctex")
@pytest.mark.parametrize("name", ["paper", "paper.zh"])
def test_latex_compiles(paper, tmp_path, name):
    command = ["xelatex", "-interaction=batchmode", "-halt-on-error", "-output-directory"]
    for _ in range(2):
        run = subprocess.run(
            [*command, str(tmp_path), f"{name}.tex"], cwd=paper, check=False, capture_output=True
        )
        log = (tmp_path / f"{name}.log").read_text(errors="replace")
        assert run.returncode == 0, log[-2000:]
    assert "undefined references" not in log
    assert "Missing character" not in log
    assert "Overfull" not in log


@pytest.mark.needs("libreoffice", "pdftotext", install="libreoffice-writer and poppler-utils")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("paper", ["Table 1. Simulated effects by region", "Table 1 shows SIMULATED", "Figure 1."]),
        ("paper.zh", ["表1", "模拟数据的分地区效应", "图1", "（1）", "注：模拟数据"]),
    ],
)
def test_word_survives_another_program(paper, tmp_path, name, expected):
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["libreoffice", profile, "--headless", "--convert-to", "pdf", "--outdir"]
    source = str(paper / f"{name}.docx")
    subprocess.run([*command, str(tmp_path), source], check=True, capture_output=True, timeout=180)
    shown = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / f"{name}.pdf"), "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "Error" not in shown  # what a reference to nowhere becomes
    for text in expected:
        assert text.replace(" ", "") in re.sub(r"\s", "", shown)


@pytest.mark.parametrize("name", ["paper", "appendix"])
def test_the_chinese_and_the_english_paper_quote_the_same_and_show_the_same(name):
    root = Path(__file__).resolve().parents[2] / "paper"
    if not (root / f"{name}.zh.md").is_file():
        pytest.skip(f"there is no Chinese {name} here")
    english, chinese = (
        (root / name).read_text(encoding="utf-8") for name in (f"{name}.md", f"{name}.zh.md")
    )
    for fills in (r'(?:number|pvalue)\("[^)]*\)', r"\{\{ holds\(.*?\) \}\}"):
        assert set(re.findall(fills, chinese)) == set(re.findall(fills, english))
    for marks in (r"^::: \{#([a-z]+:[a-z0-9-]+)", r"^#+ .*\{#(sec:[a-z]+)\}"):
        found = re.findall(marks, chinese, flags=re.MULTILINE)
        assert found == re.findall(marks, english, flags=re.MULTILINE)
