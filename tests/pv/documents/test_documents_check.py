"""Documents against the rules: a bad example of each, a near miss beside it, hostile input, real READMEs."""

from __future__ import annotations

import base64
from importlib.metadata import distributions
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pv.documents.badges import Badge, static_badge
from pv.documents.check import check_documents
from pv.documents.examine import examine
from pv.documents.licence import is_named, licence_named
from pv.documents.svg import svg_faults

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><circle r="1"/></svg>\n'
MIT = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this software\n"
FILES = {
    "LICENSE": MIT,
    "docs/guide.md": "# Guide\n\n## Two parts\n",
    ".github/workflows/ci.yml": "name: CI\n",
}


def found_in(root: Path, document: str, text: str | bytes, sections: tuple[str, ...] = ()) -> list[str]:
    """`CODE line:column` of what is wrong with one document of a small project."""
    for name, content in {**FILES, document: text}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    found = check_documents(root, [document], {document: sections})
    return [f"{row.code} {row.place.line}:{row.place.column}" for row in found if row.place.path == document]


@pytest.mark.parametrize(
    ("code", "document", "bad", "place", "good"),
    [
        ("PV700", "a.md", b"# A \xff\n", "1:1", b"# A\n"),
        ("PV701", "a.md", "# A\n\n### B\n", "3:1", "# A\n\n## B\n\n### C\n\n## D\n"),
        ("PV702", "a.md", "# A\n\nB\n=\n", "3:1", "# A\n\n> # quoted\n"),
        ("PV704", "a.md", "# A\n\n| a | b |\n|---|---|\n| `1|2` | 3 |\n", "5:1", "# A\n\na | b\n-|-\n`1\\|2` | 3\n"),
        ("PV705", "a.md", "# A\n\nx [y]()\n", "3:3", "# A\n\nx `[y]()`\n"),
        ("PV706", "a.md", "# A\n\n- x [y](JAVA&#83;CRIPT:z)\n", "3:5", "# A\n\n- x [y](https://javascript:z)\n"),
        ("PV707", "a.md", "# A\n\n[y](docs/Guide.md)\n", "3:1", "# A\n\n[y](docs/guide.md) [z](/LICENSE) [d](docs)\n"),
        ("PV708", "a.md", "# A\n\n[y](docs/guide.md#parts)\n", "3:1", "# A\n\n[y](docs/guide.md#two-parts) [z](#a)\n"),
        ("PV709", "a.md", "# A\n\n![](https://x/y.png)\n", "3:1", "# A\n\n![y](https://x/y.png)\n"),
        ("PV710", "a.md", "# A\n\n```\nx\n```\n", "3:1", "# A\n\n    x\n\n```text\nx\n```\n"),
        (
            "PV711",
            "a.md",
            "# A\n\n![t](https://github.com/o/r/actions/workflows/test.yml/badge.svg)\n",
            "3:1",
            "# A\n\n![t](https://github.com/o/r/actions/workflows/ci.yml/badge.svg)\n",
        ),
        (
            "PV712",
            "a.md",
            "# A\n\n![l](https://img.shields.io/badge/license-Apache--2.0-blue)\n",
            "3:1",
            "# A\n\n![l](https://img.shields.io/badge/license-MIT-blue)\n",
        ),
        ("PV713", "a.md", "---\na: b: c\n---\n# A\n", "2:5", "---\na: b\n---\n# A\n"),
        ("PV714", "mkdocs.yml", "site_name: x\nnav: [gone.md, guide.md]\n", "2:7", "nav: [{Guide: guide.md}]\n"),
        ("PV715", "a.svg", SVG.replace("viewBox", "viewbox"), "1:1", SVG),
        ("PV716", "a.svg", SVG.replace("<circle", "<script/><circle"), "1:59", SVG.replace("<circle", "<g/><circle")),
        ("PV717", "a.png", b"\xff\xd8\xff\xe0", "1:1", PNG),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("PV") else "",
)
def test_a_bad_document_is_found_where_it_is_bad_and_a_near_miss_is_not(
    code: str, document: str, bad: str | bytes, place: str, good: str | bytes, tmp_path: Path
) -> None:
    assert found_in(tmp_path / "bad", document, bad) == [f"{code} {place}"]
    assert found_in(tmp_path / "good", document, good) == []


def test_a_section_that_is_asked_for_has_to_be_there(tmp_path: Path) -> None:
    assert found_in(tmp_path, "a.md", "# A\n\n## Levels\n", ("Levels", "Usage")) == ["PV703 1:1"]
    assert "PV703" in check_documents(tmp_path, ["a.md"], {"a.md": ["Level"]})[0].code


def test_a_chapter_that_the_book_does_not_name_is_found_and_chapters_are_judged(tmp_path: Path) -> None:
    assert found_in(tmp_path, "mkdocs.yml", "nav: [https://x]\n") == ["PV714 1:1"]
    (tmp_path / "docs/guide.md").write_text("# Guide\n\n### Deep\n", encoding="utf-8")
    found = check_documents(tmp_path, ["mkdocs.yml"], {})
    assert [(row.code, row.place.path) for row in found] == [("PV714", "mkdocs.yml"), ("PV701", "docs/guide.md")]


def test_what_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out.md").write_text("# Out\n", encoding="utf-8")
    assert found_in(tmp_path / "p", "a.md", "# A\n\n[x](../out.md)\n") == ["PV707 3:1"]
    assert [row.code for row in check_documents(tmp_path / "p", ["../out.md"], {})] == ["PV700"]


@pytest.mark.parametrize(
    ("target", "badge"),
    [
        ("https://img.shields.io/badge/license-Apache--2.0-blue", Badge("license", "Apache-2.0")),
        ("https://img.shields.io/badge/a__b-1_000-red.svg?style=flat", Badge("a_b", "1 000")),
        ("https://img.shields.io/badge/only-red", Badge("", "only")),
        ("https://img.shields.io/pypi/v/x", None),
        ("https://example.org/badge/a-b-c", None),
    ],
)
def test_a_static_badge_is_read_as_shields_does(target: str, badge: Badge | None) -> None:
    assert static_badge(target) == badge


@pytest.mark.parametrize("name", ["Apache-2.0", "Apache 2.0", "Apache License 2.0", "apache_2"])
def test_spellings_of_a_licence_are_one(name: str) -> None:
    assert licence_named(name) == "apache20"


@pytest.mark.parametrize(
    ("kind", "said", "same"),
    [
        ("bsd3clause", "BSD", True),
        ("bsd3clause", "BSD License", True),
        ("gpl30", "GPL", True),
        ("lgpl21", "GPL", False),
        ("bsd3clause", "BSD-2-Clause", False),
        ("mit", "M", False),
        ("", "BSD", False),
    ],
)
def test_a_family_of_licences_names_each_of_its_own(kind: str, said: str, same: bool) -> None:
    assert is_named(kind, said) is same


@pytest.mark.parametrize(
    ("image", "codes"), [('<img alt="x" src="https://x/y.svg">', []), ("<IMG src='https://x/y.svg'>", ["PV709"])]
)
def test_an_image_in_html_is_what_a_link_shows(tmp_path: Path, image: str, codes: list[str]) -> None:
    assert [row.split()[0] for row in found_in(tmp_path, "a.md", f"# A\n\n[{image}](https://x)\n")] == codes


SIGNS = "ab1 \t\n\r#*`|[]()!<>-:&;\\\"'=~_/.\0\u00a0\u2028\x0b\x0c"


@given(st.text(SIGNS, max_size=80) | st.text(max_size=60))
def test_no_text_is_too_odd_and_every_place_is_inside(source: str) -> None:
    count = len(source.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    for code, line, column, message, _ in examine(source)["faults"]:
        assert 1 <= line <= count, (code, message)
        assert column >= 1, (code, message)


@given(st.text("<>/=\"'svg:?!&; ab[]", max_size=60) | st.text(max_size=40))
def test_no_text_is_too_odd_for_a_drawing(source: str) -> None:
    assert svg_faults(source) != []


def test_entities_that_grow_are_refused_before_they_do() -> None:
    bomb = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
    found = svg_faults(f'<!DOCTYPE svg [<!ENTITY a0 "ha">{bomb}]>{SVG.replace("<circle", "&a9;<circle")}')
    assert [row[0] for row in found] == ["PV716"]


def test_a_long_line_of_openers_takes_no_time_to_speak_of() -> None:
    assert examine("# A\n\n" + "[" * 20_000)["faults"] == []


def test_descriptions_of_installed_packages_are_read_to_their_end() -> None:
    texts = [
        found.metadata.get_payload()
        for found in distributions()
        if found.metadata.get("Description-Content-Type", "").startswith("text/markdown")
    ]
    assert len(texts) >= 5
    for text in texts:
        assert isinstance(text, str)
        assert examine(text)["headings"] or len(text) < 2000


@pytest.mark.parametrize(
    ("html", "place"),
    [
        ('<form action="java&#115;cript:x"></form>', "3:1"),
        ('- <button formaction="javascript:x">y</button>', "3:3"),
        ('<svg><a xlink:href="data:text/html,x">y</a></svg>', "3:6"),
        ('<p>\n<b>x</b> <INPUT type="image" src="vbscript:x">', "4:10"),
        ('<p>x</p> <P ONCLICK="x">', "3:10"),
    ],
)
def test_what_runs_is_found_where_its_tag_begins(tmp_path: Path, html: str, place: str) -> None:
    assert found_in(tmp_path, "a.md", f"# A\n\n{html}\n") == [f"PV706 {place}"]


def test_attributes_that_lead_nowhere_may_begin_as_they_like(tmp_path: Path) -> None:
    html = (
        '<p title="data: ten" class="javascript:x"><video src="https://x/javascript:y" poster="data.png"></video></p>'
    )
    assert found_in(tmp_path, "a.md", f"# A\n\n{html}\n") == []
