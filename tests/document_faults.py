"""Faults for this project's own README, pages, book, drawings and media; `planted_documents.py` plants them one at a time."""
# fmt: off  # a fault is a row, as far as it fits

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

DOCUMENTS = "contracts/documents-v1.yaml"
MICROGPT = "contracts/microgpt-v1.yaml"
README = "README.md"
BISECT = "docs/bisect.md"
KINDS = "docs/kinds.md"
DRAWING = "docs/claims.svg"
BOOK = "mkdocs.yml"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


class Plant(NamedTuple):
    """`old`, which `file` holds once, becomes `new`; then `pv claims FILE` says `code` on the line of `at`.

    `at` is a text of the changed file (empty: `new`), or a contract and the id of a claim in it. `also` are codes that follow
    from the fault too. Of a file that is not there `new` is the whole.
    """

    what: str
    file: str
    old: str
    new: str | bytes
    code: str
    at: str | tuple[str, str] = ""
    also: tuple[str, ...] = ()


def values() -> Iterator[Plant]:
    """What a place says is not what its source says."""
    for what, file, old, new in (
        ("a number in a cell", README, "| N_EMBD | 16 |", "| N_EMBD | 17 |"),
        ("two digits exchanged", README, "| PARAMETER_COUNT | 4,192 |", "| PARAMETER_COUNT | 4,129 |"),
        ("a decimal in a cell", README, "| BETA1 | 0.85 |", "| BETA1 | 0.9 |"),
        ("an exponent in a cell", README, "| RMS_EPSILON | 1e-5 |", "| RMS_EPSILON | 1e-6 |"),
        ("a number within the words of a cell", README, "at least 200 of them", "at least 20 of them"),
        ("digits of another script", README, "| N_HEAD | 4 |", "| N_HEAD | \uff14 |"),
        ("a line break within a number", README, "| PARAMETER_COUNT | 4,192 |", "| PARAMETER_COUNT | 4,<br>192 |"),
        ("a number that is not there", README, "| N_LAYER | 1 |", "| N_LAYER | |"),
        ("a number in a phrase", README, "promises 39 tests at DISCHARGED", "promises 41 tests at DISCHARGED"),
        (
            "a number that is right elsewhere on its line",
            README,
            "DISCHARGED, 9 at FUNCTIONAL",
            "DISCHARGED, 39 at FUNCTIONAL",
        ),
        ("a count", README, "PARTIAL_ALGORITHM_LEVEL,\nof 55. Every", "PARTIAL_ALGORITHM_LEVEL,\nof 56. Every"),
        ("a level", README, "is promised at DISCHARGED", "is promised at FUNCTIONAL"),
        ("a bound below what was seen", README, "at most 4e-7 off", "at most 4e-8 off"),
        ("a name", README, "names are margie, amana", "names are margo, amana"),
        ("a version", README, "Version 1.2.1 of its", "Version 1.3.0 of its"),
        ("a number without its thousands", README, "learns 5,000 US", "learns 5000 US"),
        ("the version on a badge", README, "microgpt--v1-1.2.1-blue", "microgpt--v1-1.3.0-blue"),
        ("the Python on a badge", README, "python-%3E%3D3.11-blue", "python-%3E%3D3.12-blue"),
        ("an exit code", BISECT, "| diverged | 1 |", "| diverged | 2 |"),
        ("a threshold", BISECT, "and 1e-4 at least", "and 1e-3 at least"),
        ("a percentage for a number", KINDS, "At most 200 distinct", "At most 200 % distinct"),
        ("a power of two that is none", KINDS, "at most 1,048,576 elements", "at most 1,048,575 elements"),
        ("a number of days", "docs/evidence.md", "at most 90 days", "at most 60 days"),
        ("a hexadecimal number", "docs/aprt.md", "`0xFFFFFFFF` where", "`0xFFFFFFFE` where"),
        ("a number of files", "docs/models.md", "there are 10 of them", "there are 11 of them"),
        ("the version of a library", "benchmarks/README.md", "schema==0.39.0", "schema==0.38.0"),
        ("a number in a drawing", DRAWING, ">N_EMBD = 16<", ">N_EMBD = 32<"),
        ("a number in a drawing's table", DRAWING, "| N_EMBD | 16 |", "| N_EMBD | 8 |"),
    ):
        yield Plant(what, file, old, new, "PV501", new.rpartition("\n")[2])
    licence = ("licence-MIT-blue", "licence-Apache--2.0-blue")
    yield Plant("a licence that is another one", README, *licence, "PV712", also=("PV501",))


def places() -> Iterator[Plant]:
    """The place that a claim is about is not there, or there twice; a number that no claim is about."""
    phrase, here = "At most 200 distinct cases are kept", (DOCUMENTS, "KINDS-CASES")
    head, heads = "| N_HEAD | 4 |", (MICROGPT, "README-N-HEAD")
    badge, python = "![Python](https://img.shields.io/badge/python-%3E%3D3.11-blue)", (DOCUMENTS, "README-PYTHON-BADGE")
    drawn, constant = '<text x="535" y="77">N_EMBD = 16</text>', (MICROGPT, "DRAWING-CONSTANT")
    models, block = "\n## pv explain --kernel FAMILY", "\n```text\nParameters 4,129\n```\n"
    columns = ("| Constant | Value |", "| Constant | Number |")
    yield Plant("a phrase in other words", KINDS, phrase, "No more than 200 cases are kept", "PV502", here)
    yield Plant("a phrase twice", KINDS, "## Oracle", f"- {phrase}.\n\n## Oracle", "PV503", here)
    yield Plant(
        "another unit", KINDS, "864 bytes together", "864 kilobytes together", "PV502", (DOCUMENTS, "KINDS-BYTES")
    )
    yield Plant("a section of another name", KINDS, "## Live", "## Captured", "PV502", here, ("PV502",))
    yield Plant("a row twice", README, head, f"{head} heads |\n{head}", "PV503", heads, ("PV507",))
    yield Plant("a row of another name", README, head, "| HEADS | 4 |", "PV502", heads, ("PV507",))
    yield Plant("a column of another name", README, *columns, "PV502", heads, ("PV502", "PV507"))
    yield Plant("a badge of another label", README, "/badge/python-", "/badge/cpython-", "PV502", python)
    yield Plant("a badge twice", README, badge, f"{badge}\n{badge}", "PV503", python)
    yield Plant(
        "a line of code twice", "docs/models.md", models, block + models, "PV503", (MICROGPT, "MODELS-PARAMETERS")
    )
    yield Plant("a drawn text twice", DRAWING, drawn, drawn + drawn, "PV503", constant)
    yield Plant("a drawn text that is gone", DRAWING, drawn, "", "PV502", constant)
    yield Plant("a drawn text in entities", DRAWING, "N_EMBD = 16", "N_EMBD = &#49;6", "PV502", constant)
    end = "What is here under contract"
    yield Plant("a number that nothing binds", README, end, f"Some 4711 users rely on it.\n{end}", "PV507", "4711")
    yield Plant("such a number in a cell", README, "| `ledger/` | promises", "| `ledger/` | 12 promises", "PV507")
    yield Plant("such a number in a list", README, end, f"- 12 of them\n\n{end}", "PV507", "- 12")
    yield Plant(
        "such a number in a heading", README, "\n## Levels\n", "\n### 17 signs\n\n## Levels\n", "PV507", "### 17"
    )


def structure() -> Iterator[Plant]:
    """Headings, tables, blocks of code, front matter."""
    for what, file, old, new, code, at in (
        ("a skipped level", README, "\n## Levels\n", "\n#### Levels\n", "PV701", "#### Levels"),
        ("a skipped level in HTML", KINDS, "## Live\n", "<h6>Live</h6>\n\n## Live\n", "PV701", ""),
        ("a second title", BISECT, "## How a stage", "# Judging\n\n## How a stage", "PV702", "# Judging"),
        ("a second title, underlined", KINDS, "## Oracle", "Oracle\n====\n\n## Oracle", "PV702", "Oracle\n===="),
        ("no title", "docs/ports.md", "# Several subjects\n", "## Several subjects\n", "PV702", ""),
        ("a section that is asked for", README, "\n## Commands\n", "\n## Command\n", "PV703", "# pv"),
        ("a cell too few", KINDS, "| PARTIAL |\n", "\n", "PV704", "| a subject"),
        ("a cell too many", "docs/claims.md", "| `badge: {label}` | the", "| `badge: {label}` | a | the", "PV704", ""),
        (
            "a pipe that is not escaped",
            README,
            "[--mutants all]",
            "[--mutants all|none]",
            "PV704",
            "--mutants all|none",
        ),
        ("a block without a language", BISECT, "```sh\n", "```\n", "PV710", ""),
        ("a block in tildes without one", "docs/cases.md", "## Strata\n", "## Strata\n\n~~~\nx\n~~~\n", "PV710", "~~~"),
        (
            "a block in a list without one",
            KINDS,
            "- What it",
            "- x\n\n  ```\n  x\n  ```\n- What it",
            "PV710",
            "  ```\n",
        ),
    ):
        yield Plant(what, file, old, new, code, at)
    rule = ("|---|---|\n| 0–3", "|---|---|---|\n| 0–3")
    yield Plant("a rule for other columns", "docs/aprt.md", *rule, "PV704", "| Bytes | Content |", ("PV502",))
    for what, text, at in (
        ("that does not parse", "title: [\n", "title: ["),
        ("that is a list", "- a\n", "---\n"),
        ("with a key twice", "a: b\na: c\n", "a: c"),
        ("with a tab", "a:\n\tb: c\n", "\tb: c"),
    ):
        yield Plant(f"front matter {what}", "docs/cases.md", "# Cases\n", f"---\n{text}---\n\n# Cases\n", "PV713", at)


def links() -> Iterator[Plant]:
    """What links lead to, in Markdown and in HTML."""
    link, end = "[aprt.md](aprt.md)", "## What it cannot see\n"
    for what, target in (
        ("plain", "javascript:alert(1)"),
        ("mixed case", "JaVaScRiPt:alert(1)"),
        ("a numeric entity", "java&#115;cript:alert(1)"),
        ("a hexadecimal entity", "&#x6A;avascript:alert(1)"),
        ("an entity with zeros", "&#0000106;avascript:alert(1)"),
        ("a named entity", "javascript&colon;alert(1)"),
        ("a percent sign", "java%73cript:alert(1)"),
        ("percent signs twice", "java%2573cript:alert(1)"),
        ("a tab", "<java\tscript:alert(1)>"),
        ("an entity for a tab", "java&Tab;script:alert(1)"),
        ("a control character", "<\x01javascript:alert(1)>"),
        ("a blank that nobody sees", "java\u200bscript:alert(1)"),
        ("a soft hyphen", "java\u00adscript:alert(1)"),
        ("a turn of direction", "\u202ejavascript:alert(1)"),
        ("a backslash", "javascript\\:alert(1)"),
        ("another language", "vbscript:msgbox(1)"),
        ("data", "data:text/html;base64,PHNjcmlwdD4="),
    ):
        yield Plant(f"a link that runs code: {what}", BISECT, link, f"[aprt.md]({target})", "PV706")
    for what, text, code in (
        ("an autolink", "<javascript:alert(1)>", "PV706"),
        ("HTML", '<a href="java&#115;cript:alert(1)">aprt.md</a>', "PV706"),
        ("HTML over lines", '<a\n  href="javascript:alert(1)">aprt.md</a>', "PV706"),
        ("an event handler", '<a href="aprt.md" ONCLICK="alert(1)">aprt.md</a>', "PV706"),
        ("a form", '<form action="javascript:alert(1)">', "PV706"),
        ("an embedded page", '<iframe src="aprt.md"></iframe>', "PV706"),
        ("an image of data", "![a](data:image/svg+xml;base64,PHN2Zz4=)", "PV706"),
        ("no target", "[aprt.md]()", "PV705"),
        ("a target of nothing", "[aprt.md](#)", "PV705"),
        ("no text", "[](aprt.md)", "PV705"),
        ("a page that is not there", "[aprt.md](apr.md)", "PV707"),
        ("a page in other letters", "[aprt.md](APRT.md)", "PV707"),
        ("a page from the root that is not there", "[aprt.md](/aprt.md)", "PV707"),
        ("outside of the project", "[aprt.md](../../aprt.md)", "PV707"),
        ("outside, in percent signs", "[aprt.md](..%2F..%2Faprt.md)", "PV707"),
        ("HTML to a page that is not there", '<a href="apr.md">aprt.md</a>', "PV707"),
        ("an image that is not there", "![the format](aprt.png)", "PV707"),
        ("an anchor that is not there", "[aprt.md](aprt.md#a-header)", "PV708"),
        ("an anchor of its own that is not there", "[aprt.md](#a-header)", "PV708"),
        ("an image without a text", "![](claims.svg)", "PV709"),
        ("an image in HTML without one", '<img src="claims.svg">', "PV709"),
    ):
        yield Plant(f"a link: {what}", BISECT, link, text, code)
    yield Plant("a script", BISECT, end, f"<div>\n  <SCRIPT>alert(1)</SCRIPT>\n</div>\n\n{end}", "PV706", "<SCRIPT>")
    yield Plant("a link in a quotation in a list", BISECT, end, f"- x\n  > y\n  > [z](apr.md)\n\n{end}", "PV707", "[z]")
    yield Plant("a link in a cell", README, "| weights in all |", "| [weights](data:x) in all |", "PV706")
    for code, target in (("PV706", "javascript:alert(1)"), ("PV707", "apr.md")):
        yield Plant(
            f"a definition: {target}", BISECT, end, f"[see][a]\n\n[a]: {target}\n\n{end}", code, "[a]:", (code,)
        )


def badges() -> Iterator[Plant]:
    """Images that say something of the project."""
    after = "\n\nContract-driven verification for tensor"
    for what, badge, code in (
        ("over http", "![x](http://img.shields.io/badge/x-y-blue)", "PV711"),
        ("that leads to http", "[![x](https://img.shields.io/badge/x-y-blue)](http://example.org)", "PV711"),
        (
            "of a workflow that is not there",
            "![x](https://github.com/o/r/actions/workflows/night.yml/badge.svg)",
            "PV711",
        ),
        (
            "of shields.io, of such a one",
            "![x](https://img.shields.io/github/actions/workflow/status/o/r/night.yml)",
            "PV711",
        ),
        ("of another licence in HTML", '<img alt="x" src="https://img.shields.io/badge/license-ISC-blue">', "PV712"),
        ("without a text", "![](https://img.shields.io/badge/x-y-blue)", "PV709"),
    ):
        yield Plant(f"a badge {what}", README, after, f"\n{badge}{after}", code, badge)


def drawing() -> Iterator[Plant]:
    """What a drawing must not be, hold or do."""
    head, end = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 120"', "</svg>"
    for what, old, new, code in (
        ("without a viewBox", head, '<svg xmlns="http://www.w3.org/2000/svg"', "PV715"),
        ("of no width", head, head.replace("640", "0"), "PV715"),
        ("as wide as a field", head, f'{head} width="90000"', "PV715"),
        ("of another namespace", head, head.replace("2000/svg", "1999/xhtml"), "PV715"),
        ("that is not well-formed", '<g class="line"', "<g class=line", "PV715"),
        ("in another encoding", head, f'<?xml version="1.0" encoding="UTF-16"?>{head}', "PV715"),
        ("with a script", end, f"<script>alert(1)</script>{end}", "PV716"),
        ("with an event handler", '<g class="line"', '<g onload="alert(1)" class="line"', "PV716"),
        ("with HTML in it", end, f"<foreignObject/>{end}", "PV716"),
        ("with a picture of another host", end, f'<image href="https://example.org/a.png"/>{end}', "PV716"),
        ("with a link that runs code", end, f'<a href="java&#115;cript:alert(1)"/>{end}', "PV716"),
        ("that fetches a style", end, f"<style>@import 'a.css';</style>{end}", "PV716"),
        ("that fetches a filter", '<g class="line"', '<g filter="url(a.svg#b)" class="line"', "PV716"),
        ("that becomes a handler", end, f'<set attributeName="onclick" to="alert(1)"/>{end}', "PV716"),
        ("with a style sheet beside it", "<svg ", "<?xml-stylesheet href='a.css'?><svg ", "PV716"),
        ("with an entity", "<svg ", '<!DOCTYPE svg [<!ENTITY a "b">]><svg ', "PV716"),
    ):
        yield Plant(f"a drawing {what}", DRAWING, old, new, code, also=("PV502",))


def book() -> Iterator[Plant]:
    """The navigation and the chapters."""
    entry = "aprt.md"
    for what, new, at in (
        ("that is not there", "apr.md", ""),
        ("outside of the book", "../README.md", ""),
        ("that nobody finds", "ports.md", "nav:"),
    ):
        yield Plant(f"a chapter {what}", BOOK, entry, new, "PV714", at, ("PV714",))
    yield Plant("a navigation that does not parse", BOOK, "nav:", "nav: ]", "PV714")
    yield Plant("a chapter without a title", "docs/planted.md", "", "Text\n", "PV702")


def media() -> Iterator[Plant]:
    """What a file begins with is not what its name says."""
    yield Plant("a picture that is called a drawing", "docs/planted.svg", "", PNG, "PV700")
    yield Plant("a drawing that is called a picture", "docs/planted.png", "", "<svg></svg>", "PV717")
    yield Plant("another kind of picture", "docs/planted.jpg", "", PNG, "PV717")
    yield Plant("a page that is no UTF-8", KINDS, "# Kinds", b"# K\xefnds", "PV700", also=("PV502",))


PLANTS = (*values(), *places(), *structure(), *links(), *badges(), *drawing(), *book(), *media())
