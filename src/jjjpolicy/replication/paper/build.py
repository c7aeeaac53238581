"""The paper and its appendix: Markdown, filled from results, in PDF, Word, LaTeX and HTML.

The directory of a paper holds::

    paper.md  [paper.zh.md]  [appendix.md  appendix.zh.md]
    references.bib  [references.zh.bib]
    results/<id>.json                     numbers
    tables/<id>.json                      table definitions, in both languages
    figures/<id>.json, <id>.<language>.svg|pdf|png

The source names numbers as ``{{ number("effects", "tianjin/att", ".3f") }}``, tables and figures
as fenced divisions, and refers to them as ``@tbl:effects`` (see
:mod:`jjjpolicy.replication.paper.crossref`). The same input gives the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.resources import as_file, files
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import Any

from jjjpolicy.errors import DataError
from jjjpolicy.replication.artefacts.artefacts import write_whole
from jjjpolicy.replication.artefacts.compact import compact
from jjjpolicy.replication.artefacts.document import Document, numbered
from jjjpolicy.replication.artefacts.study import BIBLIOGRAPHIES
from jjjpolicy.replication.paper.crossref import (
    Node,
    Target,
    replace_divisions,
    replace_references,
    targets,
)
from jjjpolicy.replication.paper.fill import Results, fill
from jjjpolicy.replication.paper.formats import Html, Latex, PaperFormat, Typst, Word
from jjjpolicy.report.figures.figure import Caption
from jjjpolicy.report.tables.table import Table
from jjjpolicy.report.text import Language, Text, words

_FORMATS: dict[str, Callable[[Language], PaperFormat]] = {
    "pdf": Typst,
    "docx": Word,
    "tex": Latex,
    "html": Html,
}
_TITLES = {
    "reference-section-title": Text("References", "参考文献"),
    "abstract-title": Text("Abstract", "摘要"),
    "lang": Text("en-US", "zh-CN"),
}
_CITATIONS = {"en": (), "zh": ("references.zh.csl", "citations.zh.lua")}
_OPTION = {".csl": "--csl", ".lua": "--lua-filter"}
_ENGINE = b"% !TEX program = xelatex\n"
_MARKDOWN = "markdown-auto_identifiers+east_asian_line_breaks"


def build_paper(
    directory: str | PathLike[str],
    formats: Sequence[str] = ("pdf", "docx", "tex", "html"),
    language: Language = "en",
    name: str = "paper",
) -> list[Path]:
    """Build the paper in a directory, or its appendix.

    Parameters
    ----------
    directory : path
        Holds ``paper.md`` (``paper.zh.md`` for Chinese) and what it refers to.
    formats : sequence of str
        Among ``pdf``, ``docx``, ``tex`` and ``html``.
    language : "en" or "zh"
        Which source is read, and the language of captions, notes and figures.
    name : "paper" or "appendix"
        The document. Each may refer to the tables and figures of the other.

    Returns
    -------
    list of Path
        The files written, next to the source.

    Raises
    ------
    DataError
        The source, a number, table, figure or reference is missing; the message names it.
    """
    folder = Path(directory).resolve()
    document = Document(name, language)
    source = folder / document.source
    if not source.is_file():
        raise DataError(f"There is no {source.name} in {folder.name}/. Write the {name} there.")
    unknown = sorted(set(formats) - set(_FORMATS))
    if unknown:
        raise DataError(f"paper format {unknown[0]!r}: choose among {', '.join(_FORMATS)}.")
    text = fill(source.read_text(encoding="utf-8"), Results(folder / "results"))
    parsed = json.loads(_pandoc(["--from", _MARKDOWN, "--to", "json"], text.encode(), folder))
    _print_affiliations(parsed)
    known = _elsewhere(document, folder) | targets(parsed, document.series)
    paths = []
    for extension in formats:
        tree = _resolve(parsed, known, _FORMATS[extension](language), folder)
        content = _WRITERS[extension](_cite(tree, folder, language), folder, document)
        path = folder / f"{document.stem}.{extension}"
        write_whole(path, content)
        paths.append(path)
    return paths


def _elsewhere(document: Document, folder: Path) -> dict[str, Target]:
    """What the other documents of the folder show."""
    found = {}
    for other in document.companions:
        path = folder / other.source
        if path.is_file():
            for kind, name, number in numbered(path.read_text(encoding="utf-8")):
                target = Target(kind, name, number, other.series, other.stem)
                found[target.identifier] = target
    return found


def _resolve(tree: Node, known: dict[str, Target], format: PaperFormat, folder: Path) -> Node:

    def blocks(target: Target, content: list[Node]) -> list[Node]:
        if target.kind == "tbl":
            path = _artefact(folder / "tables" / f"{target.name}.json", target)
            return format.table(target, Table.load(path))
        if target.kind == "fig":
            path = _artefact(folder / "figures" / f"{target.name}.json", target)
            return format.figure(target, Caption.load(path))
        return format.equation(target, _math(target, content))

    return replace_divisions(
        replace_references(tree, known, format.reference, spaced=format.language == "en"),
        known,
        blocks,
    )


def _print_affiliations(document: Node) -> None:
    """Turn authors given as name and affiliation into two lines, which every template prints."""
    for author in document["meta"].get("author", {}).get("c", []):
        if author["t"] == "MetaMap":
            lines = [author["c"][key]["c"] for key in ("name", "affiliation") if key in author["c"]]
            author["t"] = "MetaInlines"
            author["c"] = [node for line in lines for node in (*line, {"t": "LineBreak"})][:-1]


def _artefact(path: Path, target: Target) -> Path:
    if not path.is_file():
        raise DataError(
            f"paper: {target.identifier} needs {path.parent.name}/{path.name}. "
            "Run the script that makes it."
        )
    return path


def _math(target: Target, content: list[Node]) -> str:
    match content:
        case [{"t": "Para", "c": [{"t": "Math", "c": [_, str(math)]}]}]:
            return math
    raise DataError(f"paper: {target.identifier} must hold one $$...$$ and nothing else.")


def _write_pdf(tree: bytes, folder: Path, document: Document) -> bytes:
    import typst

    from jjjpolicy.report.figures.fonts import sans_path, serif_path

    template = _template("paper.typ")
    settings = ["--variable", f"typst-lang={document.language}"]
    settings += ["--variable", "zh=true"] if document.language == "zh" else []
    settings += ["--variable", f"series={document.series}"] if document.series else []
    with as_file(template) as path:
        source = _pandoc(
            ["--from", "json", "--to", "typst-citations", "--template", str(path), *settings],
            tree,
            folder,
        )
    fonts = sorted({str(path.parent) for path in (sans_path(), serif_path())})
    try:
        compile_bytes: Any = typst.compile
        content: bytes = compile_bytes(
            source, root=str(folder), font_paths=fonts, ignore_system_fonts=True
        )
    except typst.TypstError as error:
        raise DataError(f"paper: Typst cannot set the PDF: {error}") from error
    return content


def _write_docx(tree: bytes, folder: Path, document: Document) -> bytes:
    from jjjpolicy.report.tables.word import without_dates

    with tempfile.TemporaryDirectory() as scratch:
        reference = Path(scratch) / "reference.docx"
        reference.write_bytes(_reference_docx(folder, document.language))
        output = Path(scratch) / "paper.docx"
        _pandoc(
            [
                *("--from", "json", "--to", "docx"),
                *("--reference-doc", str(reference), "--output", str(output)),
            ],
            tree,
            folder,
        )
        return without_dates(output.read_bytes())


def _reference_docx(folder: Path, language: Language) -> bytes:
    from docx import Document as WordDocument
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt

    from jjjpolicy.report.tables.word import set_fonts

    default = _pandoc(["--print-default-data-file", "reference.docx"], b"", folder)
    document = WordDocument(io.BytesIO(default))
    set_fonts(style for style in document.styles if style.type == WD_STYLE_TYPE.PARAGRAPH)
    sizes = {
        "Title": 16,
        "Heading 1": 14,
        "Heading 2": 12,
        "Author": 11,
        "Date": 11,
        "Normal": 10.5,
        "Abstract": 9.5,
    }
    for name, size in sizes.items():
        document.styles[name].font.size = Pt(size)
    for name in ("Title", "Heading 1", "Heading 2", "Heading 3", "Author", "Date"):
        bold = name not in ("Author", "Date")
        document.styles[name].font.bold = bold
    for name in ("Table Caption", "Image Caption"):
        style: Any = document.styles[name]
        style.font.italic, style.font.bold, style.font.size = False, True, Pt(10)
        style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    figure: Any = document.styles["Captioned Figure"]
    figure.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    figure.paragraph_format.keep_with_next = True
    for name in ("Body Text", "First Paragraph", "Abstract"):
        text: Any = document.styles[name]
        text.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        if language == "zh" and name != "Abstract":
            text.paragraph_format.first_line_indent = Pt(21)
    languages = document.styles.element.find(f".//{qn('w:docDefaults')}//{qn('w:lang')}")
    languages.set(qn("w:eastAsia"), "zh-CN")  # else programs choose Japanese shapes of characters
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    section.top_margin = section.bottom_margin = Cm(2.5)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _write_tex(tree: bytes, folder: Path, document: Document) -> bytes:
    settings = ["classoption=11pt", "classoption=a4paper", "geometry=margin=2.5cm"]
    settings += ["indent=true"] if document.language == "zh" else []
    headers = ["header.tex", *(["header.zh.tex"] if document.language == "zh" else [])]
    headers += [f"header.{document.name}.tex"] if document.series else []
    with ExitStack() as stack:
        paths = [stack.enter_context(as_file(_template(name))) for name in headers]
        content = _pandoc(
            [
                *("--from", "json", "--to", "latex", "--standalone"),
                *(part for path in paths for part in ("--include-in-header", str(path))),
                *(part for setting in settings for part in ("--variable", setting)),
            ],
            tree,
            folder,
        )
    return _ENGINE + content


def _write_html(tree: bytes, folder: Path, document: Document) -> bytes:
    with as_file(_template("paper.css")) as css, tempfile.TemporaryDirectory() as compacted:
        _compact_figures(tree, folder, Path(compacted))
        return _pandoc(
            [
                *("--from", "json", "--to", "html", "--standalone", "--embed-resources"),
                *("--mathml", "--resource-path", os.pathsep.join((compacted, "."))),
                *("--css", str(css)),
            ],
            tree,
            folder,
        )


def _compact_figures(tree: bytes, folder: Path, target: Path) -> None:
    """Write the figures that a document shows to another directory, as a page holds them."""
    for name in set(re.findall(r"figures/[\w.-]+\.svg", tree.decode())):
        path = target / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(compact((folder / name).read_text(encoding="utf-8")), encoding="utf-8")


_WRITERS = {"pdf": _write_pdf, "docx": _write_docx, "tex": _write_tex, "html": _write_html}


def _cite(tree: Node, folder: Path, language: Language) -> bytes:
    """Citations and the list of references; in the Chinese paper as GB/T 7714-2015 asks."""
    arguments = ["--from", "json", "--to", "json", "--metadata", "link-citations=true"]
    for name, text in _TITLES.items():
        arguments += ["--metadata", f"{name}={words(text, language)}"]
    for name in BIBLIOGRAPHIES[language]:
        if (folder / name).is_file():
            arguments += ["--bibliography", name]
    with ExitStack() as stack:
        paths = [stack.enter_context(as_file(_template(name))) for name in _CITATIONS[language]]
        styles = [part for path in paths for part in (_OPTION[path.suffix], str(path))]
        cited = _pandoc([*arguments, "--citeproc", *styles], json.dumps(tree).encode(), folder)
    document = json.loads(cited)
    for name in ("bibliography", "csl"):  # paths of this machine, which Word would keep
        document["meta"].pop(name, None)
    return json.dumps(document).encode()


def _template(name: str) -> Any:
    return files("jjjpolicy.replication") / "templates" / name


def _pandoc(arguments: list[str], content: bytes, folder: Path) -> bytes:
    bundled = find_spec("pypandoc")
    folders = bundled.submodule_search_locations if bundled else None
    program = shutil.which("pandoc", path=str(Path(folders[0]) / "files")) if folders else None
    if program is None:
        raise DataError('Building the paper needs pandoc: pip install "jjjpolicy[paper]".')
    environment = os.environ | {"SOURCE_DATE_EPOCH": "315532800"}
    run = subprocess.run(
        [program, *arguments],
        input=content,
        capture_output=True,
        cwd=folder,
        env=environment,
        check=False,
    )
    messages = run.stderr.decode(errors="replace").strip()
    if run.returncode or ("citation" in messages and "not found" in messages):
        raise DataError(f"paper: pandoc says: {messages}")
    return run.stdout
