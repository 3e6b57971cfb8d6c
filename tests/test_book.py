"""The book: written pages are those of today, every command, schema and rule is in it, and reading it asks nobody."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from book import command_pages, comparable, out_of_date, reference_pages
from conftest import ROOT, Ran, edit
from pages.foreign import foreign, html_addresses
from pages.formats import PAGES
from pages.formulas import mathml, on_page_content
from pages.microgpt import in_markdown
from pages.session import Session
from pages.text import cell, code, prose

from pv.rules import catalogue

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def read() -> Mapping[str, str]:
    """The pages that are made by reading, as they ought to be."""
    return reference_pages()


@pytest.fixture(scope="module")
def run() -> Mapping[str, str]:
    """The pages that are made by running the commands, as they ought to be."""
    return command_pages()


@pytest.fixture(scope="module")
def kept() -> Mapping[str, str]:
    """The same pages as they lie in the repository: what they must be is looked at where they are run."""
    return {f"commands/{path.name}": path.read_text(encoding="utf-8") for path in (DOCS / "commands").glob("*.md")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book, built."""
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def build(root: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `make docs` runs, for the book of the project at `root`."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=env)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources of the book, to be changed."""
    shutil.copytree(DOCS, tmp_path / "docs")
    shutil.copytree(ROOT / "tests/pages", tmp_path / "tests/pages", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    return tmp_path


def test_the_pages_that_are_read_from_the_source_are_up_to_date(read: Mapping[str, str]) -> None:
    assert out_of_date(read, DOCS) == [], "make readme writes them"


@pytest.mark.slow
def test_the_pages_that_are_run_are_up_to_date(run: Mapping[str, str]) -> None:
    assert out_of_date(run, DOCS) == [], "make readme writes them"


def test_a_page_that_says_something_else_or_is_not_there_is_out_of_date(copy: Path, read: Mapping[str, str]) -> None:
    edit(copy / "docs/reference/rules.md", "# Rules\n", "# Rulers\n")
    (copy / "docs/microgpt/evidence.md").unlink()
    assert out_of_date(read, copy / "docs") == ["reference/rules.md", "microgpt/evidence.md"]


def test_of_a_screen_only_what_the_machine_decides_may_differ() -> None:
    one, other = (
        f"```console\n$ pv show ID\n  receipt  a/{digest}…  held: 215 cases, slack {slack}\n```\n"
        for digest, slack in (("2a018eda149c", "8.34"), ("ff003709d308", "11.2"))
    )
    assert comparable(one) == comparable(other)
    assert comparable(one) != comparable(one.replace("215 cases", "216 cases"))
    assert comparable(one) != comparable(one.replace("held", "falsified"))
    assert comparable("a slack of 8.34") != comparable("a slack of 8.35"), "nor anything outside of screens"


def test_every_command_has_a_page_with_what_it_printed(kept: Mapping[str, str]) -> None:
    shown = subprocess.run([sys.executable, "-m", "pv", "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  ([a-z]+)  +\S", shown.partition("Exit codes")[0], re.MULTILINE)
    inner = subprocess.run([sys.executable, "-m", "pv", "ledger", "--help"], capture_output=True, text=True, check=True)
    commands += [
        f"ledger {word}" for word in re.findall(r"^  ([a-z]+)  +\S", inner.stdout.partition("Commands:")[2], re.M)
    ]
    text = "\n".join(kept.values())
    assert len(commands) > 30
    for command in (*commands, "claims record"):
        section = re.split(rf"^#+ pv {command}$", text, flags=re.MULTILINE)
        assert len(section) == 2, f"pv {command} has {len(section) - 1} sections"
        assert command == "ledger" or f"$ pv {command}" in re.split(r"^## ", section[1], flags=re.MULTILINE)[0], command


def test_every_schema_is_on_one_page() -> None:
    named = sorted(f"{name}.json" for _, _, names in PAGES.values() for name in names)
    assert named == sorted(path.name for path in (ROOT / "schemas").glob("*.json"))


def test_every_key_of_the_contract_schema_is_on_its_page(read: Mapping[str, str]) -> None:
    schema = json.loads((ROOT / "schemas/contract-v1.json").read_text(encoding="utf-8"))
    keys = [key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})]
    assert [key for key in keys if f"| `{key}` |" not in read["reference/contract.md"]] == []


def test_every_rule_is_explained_with_a_line_that_fails_and_one_that_passes(read: Mapping[str, str]) -> None:
    sections = re.split(r"^### (PV\d+)$", read["reference/rules.md"], flags=re.MULTILINE)
    told = dict(zip(sections[1::2], sections[2::2], strict=True))
    for rule in catalogue():
        assert {"FAIL", "PASS"} <= set(re.findall(r"^[A-Z]+", told[rule.code], re.MULTILINE)), rule.code
        assert f"*{rule.severity.value}*" in told[rule.code]


def test_no_written_page_names_a_place_of_this_machine(kept: Mapping[str, str], read: Mapping[str, str]) -> None:
    for path, text in {**kept, **read}.items():
        assert not re.search(r"/tmp/pv-book|/home/|/root\b|" + re.escape(str(ROOT)), text), path


def test_the_book_and_its_chapters_are_sound(pv: Callable[..., Ran]) -> None:
    ran = pv("claims", "mkdocs.yml", cwd=ROOT)
    assert ran.exit == 0, ran.said


def test_a_chapter_that_nobody_finds_is_told(copy: Path, pv: Callable[..., Ran]) -> None:
    edit(copy / "mkdocs.yml", "  - Concepts: concepts.md\n", "")
    ran = pv("claims", "mkdocs.yml", cwd=copy)
    assert (ran.exit, "PV714" in ran.out, "concepts.md" in ran.out) == (1, True, True)


def test_the_introduction_shows_a_screen_that_was_run(kept: Mapping[str, str]) -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    shown = re.findall(r"```console\n.*?```", text, re.DOTALL)
    assert shown
    assert all(comparable(screen) in comparable(kept["commands/daily.md"]) for screen in shown)


def test_reading_the_book_asks_no_other_host(site: Path) -> None:
    assert foreign(site) == []
    pages = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    assert len(pages) > 25
    assert not any('class="mermaid"' in page for page in pages), "for a diagram of mermaid the theme asks unpkg.com"
    assert (site / "search/search_index.json").is_file()


def test_a_font_of_another_host_is_seen(copy: Path, tmp_path: Path) -> None:
    edit(copy / "mkdocs.yml", "font: false", "font: {text: Roboto}")
    assert build(copy, tmp_path / "site").returncode == 0
    assert any("fonts.googleapis.com" in found for found in foreign(tmp_path / "site"))


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://a.example/x.js"></script>',
        "<img src='//a.example/x.png' alt=x>",
        '<img srcset="x.png 1x, https://a.example/y.png 2x" alt=x>',
        '<LINK rel=stylesheet HREF="http://a.example/x.css">',
        '<p style="background: url(https://a.example/x.png)">',
        '<style>@import "https://a.example/x.css";</style>',
        '<svg><use xlink:href="https://a.example/x.svg#a"/></svg>',
        '<object data="https://a.example/x"></object>',
    ],
)
def test_each_way_to_load_from_another_host_is_seen(page: str, tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text(page, encoding="utf-8")
    assert len(foreign(tmp_path)) == 1


def test_a_link_to_click_and_a_file_of_its_own_load_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text('<a href="https://a.example">a</a><img src="../b.png">', encoding="utf-8")
    (tmp_path / "x.css").write_text("a { background: url(b.png) }", encoding="utf-8")
    assert foreign(tmp_path) == []
    (tmp_path / "y.css").write_text("@import url(https://a.example/y.css);", encoding="utf-8")
    assert foreign(tmp_path) == ["y.css: https://a.example/y.css"]
    assert html_addresses("<p>https://a.example</p>") == []


@pytest.mark.parametrize(
    ("find", "replace", "said"),
    [
        ("(tutorial.md)", "(tutorials.md)", "tutorials.md"),
        ("(evidence.md)", "(evidence.md#no-such-heading)", "no-such-heading"),
    ],
)
def test_a_link_that_leads_nowhere_stops_the_build(
    find: str, replace: str, said: str, copy: Path, tmp_path: Path
) -> None:
    edit(copy / "docs/index.md", find, replace)
    done = build(copy, tmp_path / "site")
    assert (done.returncode, said in done.stdout + done.stderr) == (1, True)


def test_formulas_are_drawn_without_a_script(site: Path) -> None:
    for name in ("model", "contract"):
        page = (site / f"microgpt/{name}.html").read_text(encoding="utf-8")
        assert page.count("<math") > 5
        assert "arithmatex" not in page
    assert "<msqrt>" in page


def test_a_formula_the_book_does_not_know_stops_the_build(copy: Path, tmp_path: Path) -> None:
    edit(copy / "docs/microgpt/model.md", r"\leftarrow x + \sum", r"\leftarrow x + \bigoplus")
    done = build(copy, tmp_path / "site")
    assert (done.returncode == 0, r"\bigoplus" in done.stdout + done.stderr) == (False, True)


@pytest.mark.parametrize(
    ("tex", "drawn"),
    [
        ("x^{2}", "<msup><mi>x</mi><mn>2</mn></msup>"),
        ("x_{i}^{2}", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        ("x^{2}_{i}", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        (r"\sqrt{a + \varepsilon}", "<msqrt><mrow><mi>a</mi><mo>+</mo><mi>ε</mi></mrow></msqrt>"),
        (r"\operatorname{one\_hot}", "<mi>one_hot</mi>"),
        (r"\mathbb{R}", "<mi>ℝ</mi>"),
        ("4{,}192", "<mn>4,192</mn>"),
        (r"-1 \leq x", "<mrow><mo>−</mo><mn>1</mn><mo>≤</mo><mi>x</mi></mrow>"),
        ("a < b", "<mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow>"),
    ],
)
def test_a_formula_as_mathml(tex: str, drawn: str) -> None:
    assert mathml(tex) == f"<math>{drawn}</math>"


@pytest.mark.parametrize("tex", [r"\unknown x", "{x", r"\mathrm x", "\\", "x^"])
def test_latex_that_cannot_be_drawn_is_refused(tex: str) -> None:
    with pytest.raises(ValueError, match="in "):
        mathml(tex)


def test_only_what_stood_between_dollars_is_drawn() -> None:
    marked = '<p>a <span class="arithmatex">\\(x &lt; y\\)</span> <code>\\(x\\)</code></p>'
    assert on_page_content(marked) == f"<p>a {mathml('x < y')} <code>\\(x\\)</code></p>"


def test_a_sentence_of_a_contract_keeps_its_words_and_its_mathematics() -> None:
    assert in_markdown("rows_of x[i] ≥ 0, size_one") == r"$\mathrm{rows\_of} x[i] \geq 0$, $\mathrm{size\_one}$"
    assert in_markdown("see § 3 – for all of them, naïve") == "see § $3$ – for all of them, naïve"


def test_signs_of_markdown_mean_nothing_in_what_is_quoted() -> None:
    assert prose("a*b [c] <d> $e$ #f") == r"a\*b \[c\] &lt;d&gt; &#36;e&#36; \#f"
    assert cell("x | `y|z` | `plain`") == "x &#124; <code>y&#124;z</code> &#124; `plain`"
    assert code("a`b") == "`` a`b ``"


def test_a_story_whose_project_has_changed_under_it_is_noticed(tmp_path: Path) -> None:
    session = Session(tmp_path)
    (tmp_path / "kernels.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="occurs 0 times"):
        session.edit("kernels.py", "y = 1", "y = 2")


def test_make_docs_builds_it_strictly() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = re.search(r"^docs:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert recipe
    assert "mkdocs build --strict" in recipe[1]
