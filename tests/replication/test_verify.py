"""Verify names what differs, by how much and why; sound studies pass."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jjjpolicy.replication import verify as verification
from jjjpolicy.replication.artefacts.drawings import compare_drawings
from jjjpolicy.replication.artefacts.integrity import check_files
from jjjpolicy.replication.artefacts.leaves import changes, leaves
from jjjpolicy.replication.artefacts.study import Study
from jjjpolicy.replication.artefacts.versions import digest
from jjjpolicy.replication.comparison.documents import check_documents, compare_document
from jjjpolicy.replication.verify import Difference, verify


def rewrite(path: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file by hand."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def forge(study: Study) -> None:
    """Write the hash of an edited result into its provenance."""
    hash = digest(study.output / "results/other.json")
    rewrite(
        study.output / "provenance/numbers-other.json",
        lambda content: content["files"].update({"results/other.json": hash}),
    )


def scratch(study: Study) -> Path:
    """An empty directory beside a study."""
    folder = study.root.parent / "scratch"
    folder.mkdir()
    return folder


def of(differences: list[Difference], where: str) -> Difference:
    """The difference at one place."""
    return next(difference for difference in differences if difference.where == where)


def files(study: Study) -> dict[Path, bytes]:
    """Every file of a study but the compiled ones."""
    paths = (path for path in study.root.rglob("*") if "__pycache__" not in path.parts)
    return {path: path.read_bytes() for path in paths if path.is_file()}


def test_a_sound_study_is_the_same_on_another_path_and_is_left_alone(copy: Study) -> None:
    before = files(copy)
    result = verify(copy)
    assert result.same
    assert result.exact
    assert result.values > 10
    assert result.documents == 5
    assert files(copy) == before


def test_an_edited_number_is_named_with_its_size(copy: Study) -> None:
    rewrite(copy.output / "results/other.json", lambda content: content.update(seven=7.7))
    found = verify(copy, ["other"]).differences
    number = of(found, "seven")
    assert (number.artefact, number.committed, number.rebuilt) == ("numbers:other", 7.7, 7)
    assert number.relative == pytest.approx(0.7 / 7.7)
    assert number.cause == "edited by hand"
    assert of(found, "results/other.json").cause == "edited by hand"


def test_an_edited_table_in_any_format_is_named(copy: Study) -> None:
    for file in ("effect.en.tex", "effect.zh.html", "effect.en.docx"):
        path = copy.output / "tables" / file
        path.write_bytes(path.read_bytes() + b" ")
    faults = check_files(copy, copy.artefacts, strays=True).faults
    assert [(fault.file, fault.kind) for fault in faults] == [
        ("tables/effect.en.docx", "edited by hand"),
        ("tables/effect.en.tex", "edited by hand"),
        ("tables/effect.zh.html", "edited by hand"),
    ]


def test_an_edited_cell_is_named_by_row_and_column(copy: Study) -> None:
    def edit(content: Any) -> None:
        content["panels"][0]["rows"][0]["cells"][0]["value"] = 9.0

    rewrite(copy.output / "tables/effect.json", edit)
    found = verify(copy, ["effect"]).differences
    assert of(found, "row 1 (unit 0), Estimate/value").committed == 9.0


def test_an_edit_that_also_changes_the_hash_is_found_by_rebuilding(copy: Study) -> None:
    path = copy.output / "results/other.json"
    rewrite(path, lambda content: content.update(seven=8))
    forge(copy)
    found = verify(copy, ["other"]).differences
    assert [difference.where for difference in found] == ["seven"]
    assert found[0].cause.startswith("unexplained")


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00\xff", '{"files": {"../../x": "y"}}', "7"])
def test_corrupted_provenance_is_named(copy: Study, text: str) -> None:
    (copy.output / "provenance/numbers-other.json").write_text(text, encoding="utf-8")
    (fault,) = check_files(copy, copy.artefacts, strays=True).faults
    assert (fault.file, fault.kind) == ("provenance/numbers-other.json", "corrupted")


@pytest.mark.parametrize("content", [b"\xff\xfe{", b"[" * 100_000])
def test_corrupted_results_are_named(copy: Study, content: bytes) -> None:
    (copy.output / "results/other.json").write_bytes(content)
    found = verify(copy, ["other"]).differences
    assert {difference.where for difference in found} == {"results/other.json"}


def test_missing_and_unannounced_files_are_named(copy: Study) -> None:
    (copy.output / "tables/effect.en.md").unlink()
    (copy.output / "results/made-up.json").write_text("{}")
    causes = {difference.where: difference.cause for difference in verify(copy).differences}
    assert causes == {"tables/effect.en.md": "missing", "results/made-up.json": "unannounced"}


def test_edited_documents_are_named_with_the_place(copy: Study) -> None:
    paper = copy.output / "paper.tex"
    paper.write_text(paper.read_text(encoding="utf-8").replace("7", "9"), encoding="utf-8")
    word = copy.output / "paper.docx"
    with zipfile.ZipFile(word) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["word/document.xml"] = parts["word/document.xml"].replace(b"effect", b"affect")
    with zipfile.ZipFile(word, "w") as archive:  # other parts are packed differently and the same
        for name, content in parts.items():
            archive.writestr(name, content)
    pdf = copy.output / "paper.pdf"
    pdf.write_bytes(pdf.read_bytes()[:-20])
    page = copy.output / "browser/index.html"
    page.write_text(page.read_text(encoding="utf-8") + "<p>more</p>", encoding="utf-8")
    (copy.output / "paper.html").unlink()
    count, faults = check_documents(copy, scratch(copy), sound=True)
    assert count == 5
    causes = {fault.file: fault.cause.split(",")[0] for fault in faults}
    assert causes.pop("paper.html") == "missing"
    files = ("paper.tex", "paper.docx", "paper.pdf", "browser/index.html")
    assert causes == dict.fromkeys(files, "edited by hand")
    assert "paper.docx: word/document.xml" in {fault.where for fault in faults}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 100])
def test_a_corrupted_word_document_is_named(
    finished: Study, tmp_path: Path, content: bytes
) -> None:
    sound = (finished.output / "paper.docx").read_bytes()
    spoilt = tmp_path / "paper.docx"
    for bytes_there in (content, sound[: len(sound) // 2], sound[:3000] + b"\0" + sound[3001:]):
        spoilt.write_bytes(bytes_there)
        fault = compare_document(spoilt, "paper.docx", sound)
        assert fault is not None
        assert fault.where.startswith("paper.docx")


def test_a_paper_that_cannot_be_built_says_why(copy: Study) -> None:
    (copy.output / "paper.md").write_text('{{ number("none", "x") }}', encoding="utf-8")
    _, faults = check_documents(copy, scratch(copy), sound=False)
    assert len(faults) == 4
    assert all(fault.cause.startswith("cannot be built: ") for fault in faults)


def test_a_changed_script_is_the_cause(copy: Study) -> None:
    script = copy.root / "analysis/other.py"
    script.write_text(script.read_text().replace(": 7", ": 8"))
    found = of(verify(copy, ["other"]).differences, "seven")
    assert found.cause == "specification: analysis/other.py"


def test_a_changed_estimate_is_the_cause_where_no_script_changed(copy: Study) -> None:
    path = copy.output / "provenance/numbers-effect.json"
    rewrite(copy.output / "results/effect.json", lambda c: c["did"].update(att=1.0))

    def edit(content: Any) -> None:
        content["estimates"]["did"]["estimator"]["name"] = "SyntheticDiD"
        file = copy.output / "results/effect.json"
        content["files"]["results/effect.json"] = digest(file)

    rewrite(path, edit)
    found = of(verify(copy, ["effect"]).differences, "did/att")
    assert found.cause.startswith("specification: estimator/name 'SyntheticDiD' →")


def test_other_versions_allow_a_tolerance_and_are_the_cause_beyond_it(
    copy: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(content: Any) -> None:
        content["versions"]["numpy"] = "1.0"

    rewrite(copy.output / "provenance/numbers-other.json", older)
    result = verify(copy, ["other"])
    assert result.same
    assert not result.exact
    assert result.tolerance == verification.OTHER_PLATFORM_TOLERANCE
    path = copy.output / "results/other.json"
    rewrite(path, lambda content: content.update(seven=8))
    forge(copy)
    assert "version: numpy 1.0 →" in of(verify(copy, ["other"]).differences, "seven").cause


def test_other_code_of_the_package_is_the_cause_where_nothing_else_changed(copy: Study) -> None:
    sidecar = copy.output / "provenance/numbers-other.json"
    rewrite(sidecar, lambda content: content["made"].update(code="0" * 64))
    assert verify(copy, ["other"]).same
    rewrite(copy.output / "results/other.json", lambda content: content.update(seven=8))
    forge(copy)
    assert of(verify(copy, ["other"]).differences, "seven").cause.startswith("code: ")


def test_stale_provenance_is_named_though_the_results_are_the_same(copy: Study) -> None:
    script = copy.root / "analysis/other.py"
    script.write_text(script.read_text() + "# a remark\n")
    (found,) = verify(copy, ["other"]).differences
    assert found.where == "provenance/numbers-other.json: inputs/analysis/other.py"
    assert found.cause == "specification: analysis/other.py"


def test_values_are_compared_exactly_or_to_a_tolerance() -> None:
    before, after = {"a": 1.0, "b": [1, True], "c": None}, {"a": 1.0 + 1e-9, "b": [1, 1], "d": 1}
    flat = dict(leaves(before)), dict(leaves(after))
    assert [c.path for c in changes(*flat)] == ["a", "b/1", "c", "d"]
    assert [c.path for c in changes(*flat, tolerance=1e-6)] == ["b/1", "c", "d"]


def test_drawings_are_compared_by_structure_and_coordinates(tmp_path: Path) -> None:
    one, two = tmp_path / "a.svg", tmp_path / "b.svg"
    one.write_text('<clipPath id="p12ab"/><path d="M 1.5 2 L -3 4" class="c7"/>')
    two.write_text('<clipPath id="p99ff"/><path d="M 1.50000001 2 L -3 4" class="c7"/>')
    assert compare_drawings(one, two, 1e-6) is None
    assert compare_drawings(one, two, 0.0) == "1 coordinates moved, by up to 1e-08 points"
    two.write_text('<path d="M 1.5 2 L -3 4 5"/>')
    assert compare_drawings(one, two, 1e-6) == "another structure"
