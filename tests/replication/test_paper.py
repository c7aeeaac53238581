import re
import zipfile

import pytest

pytest.importorskip("pypandoc", reason="needs the extra 'paper'")
pytest.importorskip("typst", reason="needs the extra 'paper'")
pytest.importorskip("pylopdf_fonts_zh_cn", reason="needs the extra 'paper'")

import importlib.util
from pathlib import Path

import matplotlib

from jjjpolicy.errors import DataError
from jjjpolicy.replication.fill import Results, fill
from jjjpolicy.replication.paper import build_paper

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


def test_numbers_are_filled_from_results(paper):
    html = (paper / "paper.html").read_text()
    assert "The effect is −0.123" in html
    assert re.search(r"fell\s+by\s+12\.3\s+per\s+cent", html)
    assert re.search(r"\(p\s+&lt; 0\.001\)", html)


def test_html_is_self_contained_and_its_references_lead_somewhere(paper):
    html = (paper / "paper.html").read_text()
    assert not re.search(r'(src|href)="(?!data:|#)', html)
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
    import shutil

    folder = tmp_path / "paper"
    shutil.copytree(paper, folder)
    source = folder / "paper.md"
    source.write_text(source.read_text() + "\n\n" + text + "\n")
    with pytest.raises(DataError, match=f"(?s){message}"):
        build_paper(folder, formats=["html"])


def test_missing_source_and_unknown_format_are_named(tmp_path, paper):
    with pytest.raises(DataError, match=r"no paper\.md"):
        build_paper(tmp_path)
    with pytest.raises(DataError, match="'rtf'"):
        build_paper(paper, formats=["rtf"])


def test_templates_cannot_reach_python(paper):
    with pytest.raises(DataError):
        fill("{{ number.__globals__ }}", Results(paper / "results"))
