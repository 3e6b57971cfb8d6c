"""Attacks on the checkers of Markdown and SVG: faults planted in documents, which have to be found just there.

What is planted stands above the text of a case, whatever that is: made up of signs, a sound document, or one of this project's.
Nothing is imported from the checkers. In the order of the contract: markdown, svg, scheme.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from pv import Case, Check, Subject, falsifier, fault, stratum

CONTRACT = "documents-v1"

ABOVE = "what is planted stands above the text of the case, which the subject sees below it"
INSIDE = "faults are planted in drawings; where the case is none, in a small one"
BEFORE = "the scheme stands before the text of the case, which the subject sees behind it"

Examined = Mapping[str, Any]
Place = tuple[str, int]

WORDS = ("kernel", "mask", "level", "receipt", "tensor", "case", "fault", "stage")


def luck(text: str) -> Random:
    """Chances that are the same for the same case."""
    return Random(zlib.crc32(text.encode("utf-8", "surrogatepass")))


def above(subject: Subject, block: str, text: str, codes: Iterable[str]) -> list[Place]:
    """(code, line) of the faults with one of `codes` in `block`, which stands above `text`."""
    found = subject(f"{block}\n\n{text}")["faults"]
    lines, wanted = block.count("\n") + 1, set(codes)
    return [(fault[0], fault[1]) for fault in found if fault[1] <= lines and fault[0] in wanted]


# --- markdown ------------------------------------------------------------------------------------------------------


def begins_with_a_title(value: str, spec: object) -> bool:
    return value.startswith("# ")


@stratum("text", "document", holds=begins_with_a_title)
def document(draw: st.DrawFn, spec: object, drawn: object) -> str:
    """A sound document."""
    return "\n\n".join(draw(sound_blocks()))


@st.composite
def sound_blocks(draw: st.DrawFn) -> list[str]:
    """The blocks of a sound document: a title, then sections that never skip a level."""
    blocks, level = [f"# {draw(sentences())}"], 1
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            level = draw(st.integers(2, min(level + 1, 6)))
            blocks.append(f"{'#' * level} {draw(sentences())}")
        blocks.append(draw(st.one_of(paragraphs(), tables(), lists(), codes(), quotations())))
    return blocks


def sentences() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


@st.composite
def paragraphs(draw: st.DrawFn) -> str:
    """Words, some of them emphasised, in code, linked or drawn."""
    word = sentences()
    parts = st.one_of(
        word,
        word.map(lambda text: f"*{text}*"),
        word.map(lambda text: f"`{text} | {text}`"),
        word.map(lambda text: f"[{text}](https://example.org/{text.replace(' ', '-')})"),
        word.map(lambda text: f"![{text}](https://example.org/x.png)"),
        word.map(lambda text: f"<https://example.org/{text.partition(' ')[0]}>"),
    )
    return draw(st.sampled_from((" ", "\n"))).join(draw(st.lists(parts, min_size=1, max_size=5)))


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table of GFM, bordered or not, its pipes escaped."""
    columns, rows = draw(st.integers(2, 4)), draw(st.integers(0, 3))
    cells = st.one_of(sentences(), st.just("`a \\| b`"), st.just("[a](b.md)").map(lambda _: "*a*"))
    every = [draw(st.lists(cells, min_size=columns, max_size=columns)) for _ in range(rows + 1)]
    lines = [" | ".join(row) for row in every]
    lines.insert(
        1, " | ".join(draw(st.lists(st.sampled_from(("---", ":-:", "-:")), min_size=columns, max_size=columns)))
    )
    return "\n".join(f"| {line} |" for line in lines)


def lists() -> st.SearchStrategy[str]:
    return st.lists(sentences(), min_size=1, max_size=3).map(lambda items: "\n".join(f"- {item}" for item in items))


@st.composite
def codes(draw: st.DrawFn) -> str:
    """A fenced block, in which nothing is Markdown."""
    fence = draw(st.sampled_from(("```", "~~~", "````")))
    inside = draw(st.sampled_from(("# no heading", "| a | b |", "[x](javascript:x)", "![](x)", "")))
    return f"{fence}{draw(st.sampled_from(('text', 'python', ' sh')))}\n{inside}\n{fence}"


def quotations() -> st.SearchStrategy[str]:
    return sentences().map(lambda text: f"> {text}\n> *{text}*")


@falsifier("FALSIFY-DOC-001", because=ABOVE)
def a_skipped_level_is_found(subject: Subject, case: Case, check: Check) -> None:
    text = case.source
    for level in range(1, 7):
        signs = "#" * level
        found = above(subject, f"# Title\n\nWords.\n\n{signs} Below", text, ["PV701"])
        check.equal(found, [("PV701", 5)] if level > 2 else [])
    rising = "\n\n".join(f"{'#' * level} H" for level in (1, 2, 3, 4, 2, 3, 1, 2))
    check.equal(above(subject, rising, text, ["PV701"]), [])
    check.equal(above(subject, "# T\n\n## A\n\nB\n=\n\n### C", text, ["PV701"]), [("PV701", 8)])


@fault("markdown/hierarchy")
def skipped_levels_are_told_a_line_late(examined: Examined, case: Case) -> Examined:
    return {**examined, "faults": a_line_late("PV701", examined["faults"])}


def a_line_late(code: str, faults: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The faults, those with `code` said to be on the line below."""
    return [(row[0], row[1] + 1, *row[2:]) if row[0] == code else row for row in faults]


@falsifier("FALSIFY-DOC-002", because=ABOVE)
def a_second_title_is_found(subject: Subject, case: Case, check: Check) -> None:
    text = case.source
    check.equal(above(subject, "# One\n\n## Two", text, ["PV702"]), [])
    check.equal(above(subject, "# One\n\nWords\n\n# Two", text, ["PV702"]), [("PV702", 5)])
    check.equal(above(subject, "One\n===\n\n## A\n\n# Two\n\n# Three", text, ["PV702"]), [("PV702", 6), ("PV702", 8)])
    check.equal(above(subject, "> # Quoted\n\n# One\n\n    # code", text, ["PV702"]), [])
    titled = [row for row in subject("## A\n\nwords")["faults"] if row[0] == "PV702"]
    check.equal([row[1] for row in titled], [1])


@fault("markdown/one_title")
def titles_are_told_a_line_late(examined: Examined, case: Case) -> Examined:
    return {**examined, "faults": a_line_late("PV702", examined["faults"])}


@falsifier("FALSIFY-DOC-003", because=ABOVE)
def odd_rows_are_found(subject: Subject, case: Case, check: Check) -> None:
    chance = luck(case.source)
    columns = chance.randint(2, 5)
    counts = [chance.choice((columns - 1, columns, columns, columns + 1)) for _ in range(4)]
    head = [row(columns), "|" + "---|" * columns]
    block = "\n".join([*head, *(row(count) for count in counts)])
    wrong = [("PV704", 3 + place) for place, count in enumerate(counts) if count != columns]
    check.equal(above(subject, block, case.source, ["PV704"]), wrong)
    quoted = "\n".join(f"> {line}" for line in block.split("\n"))
    check.equal(above(subject, quoted, case.source, ["PV704"]), wrong)
    unmade = f"{row(columns)}\n|{'---|' * (columns + 1)}"
    check.equal(above(subject, unmade, case.source, ["PV704"]), [("PV704", 1)])


def row(count: int) -> str:
    """A row of so many cells, one of them with an escaped pipe."""
    return "| " + " | ".join(["`a \\| b`", *("c" for _ in range(count - 1))]) + " |"


@fault("markdown/columns")
def rows_are_told_a_line_late(examined: Examined, case: Case) -> Examined:
    return {**examined, "faults": a_line_late("PV704", examined["faults"])}


HARMLESS = ("https://example.org/a", "mailto:a@example.org", "#anchor", "../a.md", "a%20b.md", "java.md", "x/data:.md")
REFUSED = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java&#115;cript:x",
    "java&Tab;script:x",
    "&#x6A;avascript&colon;x",
    "%6Aavascript%3Ax",
    "vbscript:x",
    "data:text/html,x",
    "DATA&#58;text/html;base64,eA==",
    "javascript&amp;colon;x",
)


@falsifier("FALSIFY-DOC-004", because=ABOVE)
def bad_links_are_found(subject: Subject, case: Case, check: Check) -> None:
    chance = luck(case.source)
    lines, wrong = [], []
    for number in range(1, 9):
        kind = chance.choice(("harmless", "refused", "nowhere", "wordless"))
        words = chance.choice(("a", "*a* b", "`a`"))
        form = chance.choice(("{0}[{1}]({2})", "{0}[{1}](<{2}>)", '{0}[{1}]({2} "t")'))
        target = {"harmless": HARMLESS, "refused": REFUSED, "nowhere": ("",), "wordless": HARMLESS[:1]}[kind]
        words = "" if kind == "wordless" else words
        before = "x " * chance.randint(0, 3)
        aim = chance.choice(target)
        form = form if aim else "{0}[{1}](<{2}>)"
        lines.append(form.format(before, words, aim))
        wrong += {"harmless": [], "refused": [("PV706", number, len(before) + 1)]}.get(
            kind, [("PV705", number, len(before) + 1)]
        )
    block = "\n".join(lines)
    found = subject(f"{block}\n\n{case.source}")["faults"]
    codes = ("PV705", "PV706")
    check.equal([tuple(row[:3]) for row in found if row[0] in codes and row[1] <= len(lines)], wrong)


@fault("markdown/links")
def schemes_are_told_a_line_late(examined: Examined, case: Case) -> Examined:
    return {**examined, "faults": a_line_late("PV706", examined["faults"])}


@falsifier("FALSIFY-DOC-005", because=ABOVE)
def silent_images_are_found(subject: Subject, case: Case, check: Check) -> None:
    chance = luck(case.source)
    good = ("![a](b.png)", "![*a*](b.png)", '<img src="b.png" alt="a">', '<img alt="" src="b.png">', "[![a](b.png)](c)")
    bad = ("![](b.png)", "![ ](b.png)", '<img src="b.png">', "[![](b.png)](c)", '![](b.png "title")')
    chosen = [chance.choice(good + bad) for _ in range(6)]
    wrong = [("PV709", number) for number, image in enumerate(chosen, 1) if image in bad]
    check.equal(above(subject, "\n".join(f"x {image}" for image in chosen), case.source, ["PV709"]), wrong)


@fault("markdown/alternatives")
def images_are_told_a_line_late(examined: Examined, case: Case) -> Examined:
    return {**examined, "faults": a_line_late("PV709", examined["faults"])}


@falsifier("FALSIFY-DOC-006", because=ABOVE)
def nameless_code_is_found(subject: Subject, case: Case, check: Check) -> None:
    chance = luck(case.source)
    blocks, wrong, line = [], [], 1
    for _ in range(4):
        fence, name = chance.choice(("```", "~~~", "`````")), chance.choice(("", "", "sh", " python title=x"))
        inside = chance.choice(("x", "```x" if fence == "~~~" else "~~~", "x\n\ny"))
        blocks.append(f"{fence}{name}\n{inside}\n{fence}")
        wrong += [] if name else [("PV710", line)]
        line += blocks[-1].count("\n") + 2
    check.equal(above(subject, "\n\n".join(blocks), case.source, ["PV710"]), wrong)
    listed = "- x\n\n  ```\n  y\n  ```"
    check.equal(above(subject, listed, case.source, ["PV710"]), [("PV710", 3)])


@fault("markdown/languages")
def code_is_told_a_line_late(examined: Examined, case: Case) -> Examined:
    return {**examined, "faults": a_line_late("PV710", examined["faults"])}


@falsifier("FALSIFY-DOC-007", because=ABOVE)
def broken_front_matter_is_found(subject: Subject, case: Case, check: Check) -> None:
    for front in ("a: [1", "- a\n- b", "a: b: c", "a: 1\na: 2", "just words"):
        found = [row[:2] for row in subject(f"---\n{front}\n---\n\n{case.source}")["faults"] if row[0] == "PV713"]
        check.that(len(found) == 1 and 1 <= found[0][1] <= 3 + front.count("\n"), f"{front!r} gives {found}")
    for front in ("title: a", 'title: "a: b"\nlist: [1, 2]', "", "# a remark"):
        examined = subject(f"---\n{front}\n---\n\n{case.source}")
        check.equal([row[:2] for row in examined["faults"] if row[0] == "PV713"], [])
        check.equal(examined["front"], front)


@fault("markdown/front")
def front_matter_is_read_as_another_fault(examined: Examined, case: Case) -> Examined:
    return {**examined, "faults": [("PV701", *row[1:]) if row[0] == "PV713" else row for row in examined["faults"]]}


@falsifier("FALSIFY-DOC-008", because=ABOVE)
def places_are_those_of_the_source(subject: Subject, case: Case, check: Check) -> None:
    marked = "See [this](a.md) and ![that](b.png), <https://example.org>.\n\n> * x [y](z)"
    text = f"{marked}\n\n{case.source}"
    examined = subject(text)
    lines = re.split("\r\n?|\n", text.replace("\0", "\ufffd"))
    for kind, target, _, _, line, column in examined["links"]:
        begins = lines[line - 1][column - 1 : column]
        check.that(
            begins in ("[" if kind == "definition" else "[!<") and begins != "", f"{kind} {target!r} at {line}:{column}"
        )
    seen = [(row[0], row[1], row[4], row[5]) for row in examined["links"] if row[4] <= 3]
    wanted = [
        ("link", "a.md", 1, 5),
        ("image", "b.png", 1, 22),
        ("link", "https://example.org", 1, 38),
        ("link", "z", 3, 7),
    ]
    check.equal(seen, wanted)
    for code, line, column, *_ in examined["faults"]:
        inside = 1 <= line <= len(lines) and 1 <= column <= max(len(lines[line - 1]), 1)
        check.that(inside, f"{code} at {line}:{column}, outside of the document")


@fault("markdown/places")
def links_begin_one_column_on(examined: Examined, case: Case) -> Examined:
    return {**examined, "links": [(*row[:5], row[5] + 1) for row in examined["links"]]}


PLANTED = (
    ("PV701", "##### Deep"),
    ("PV702", "# Again"),
    ("PV704", "| a | b |\n|---|---|\n| 1 |"),
    ("PV705", "[words]()"),
    ("PV706", "[words](java&Tab;script:x)"),
    ("PV706", '<p onclick="x">words</p>'),
    ("PV709", "![](https://example.org/x.png)"),
    ("PV710", "```\nx\n```"),
)


@st.composite
def sound_with_a_place(draw: st.DrawFn) -> Case:
    """A sound document, and where in it something is planted."""
    blocks = draw(sound_blocks())
    return Case(
        source="\n\n".join(blocks), at=draw(st.integers(1, len(blocks))), which=draw(st.integers(0, len(PLANTED) - 1))
    )


@falsifier(
    "FALSIFY-DOC-009", cases={"planted": sound_with_a_place()}, because="where a fault is planted is no argument"
)
def sound_documents_pass_and_planted_faults_are_found(subject: Subject, case: Case, check: Check) -> None:
    check.equal(subject(case.source)["faults"], [])
    blocks = case.source.split("\n\n")
    code, planted = PLANTED[case.which]
    line = sum(block.count("\n") + 2 for block in blocks[: case.at]) + 1
    line += planted.count("\n") if code == "PV704" else 0
    found = subject("\n\n".join([*blocks[: case.at], planted, *blocks[case.at :]]))["faults"]
    # A heading planted in the middle moves what comes below it, too.
    before = [(row[0], row[1]) for row in found if code not in ("PV701", "PV702") or row[1] <= line]
    level = [len(block.partition(" ")[0]) for block in blocks[: case.at] if block.startswith("#")][-1]
    check.equal(before, [] if code == "PV701" and level >= 4 else [(code, line)])


@fault("markdown/clean")
def the_first_fault_is_kept_back(examined: Examined, case: Case) -> Examined:
    return {**examined, "faults": examined["faults"][1:]}


# --- svg -----------------------------------------------------------------------------------------------------------

SPACE = 'xmlns="http://www.w3.org/2000/svg"'
SHAPES = (
    '<rect x="1" y="2" width="3" height="4" fill="none"/>',
    '<circle id="dot" r="2"/>',
    "<text>words &amp; 1 &lt; 2</text>",
    '<path d="M 0 0 L 1 1"/>',
    "<style>.a { fill: red } .b { fill: url(#dot) }</style>",
    '<use href="#dot"/>',
    '<linearGradient id="g"><stop offset="0"/></linearGradient>',
    '<g fill="url(#g)">\n<line x2="3"/>\n</g>',
    "<!-- a remark -->",
    "<title>words</title>",
)
OUTLAWS = (
    "<script>x</script>",
    '<rect onload="x()"/>',
    "<foreignObject/>",
    '<image href="https://example.org/x.png"/>',
    '<use href="other.svg#dot"/>',
    '<a xmlns:l="http://www.w3.org/1999/xlink" l:href="javascript:x"/>',
    '<rect style="fill: url(https://example.org/x)"/>',
    "<style>@import 'x.css';</style>",
    '<animate attributeName="onclick" to="x"/>',
    '<set attributeName="href" to="java&#10;script:x"/>',
    "<?xml-stylesheet href='x.css'?>",
)


def is_a_drawing(value: str, spec: object) -> bool:
    return value.startswith("<svg") and value.rstrip().endswith("</svg>")


@stratum("text", "drawing", holds=is_a_drawing)
def drawing(draw: st.DrawFn, spec: object, drawn: object) -> str:
    """A sound drawing."""
    side = st.integers(1, 2000)
    inside = draw(st.lists(st.sampled_from(SHAPES), max_size=5))
    sides = draw(st.sampled_from(("", ' width="40" height="3.5"', ' width="100%"', ' height="12px"')))
    return f'<svg {SPACE} viewBox="0 0 {draw(side)} {draw(side)}"{sides}>\n' + "\n".join([*inside, "</svg>"])


def drawn_in(text: str) -> str:
    """The text if it is a drawing, else a drawing."""
    return (
        text
        if is_a_drawing(text, None) and SPACE in text and "viewBox" in text
        else f'<svg {SPACE} viewBox="0 0 9 9">\n</svg>'
    )


@falsifier("FALSIFY-DOC-011", because=INSIDE)
def what_is_no_drawing_is_found(subject: Subject, case: Case, check: Check) -> None:
    if not is_a_drawing(case.source, None):
        check.that({row[0] for row in subject(case.source)} & {"PV715", "PV716"} != set(), "it passes for a drawing")
    sound = drawn_in(case.source)
    wrong = {
        "cut short": sound[: sound.rindex("</svg>")],
        "another namespace": sound.replace(SPACE, 'xmlns="http://www.w3.org/2000/SVG"', 1),
        "no viewBox": re.sub(r'viewBox="[^"]*"', "", sound, count=1),
        "no size": re.sub(r'viewBox="[^"]*"', 'viewBox="0 0 10 0"', sound, count=1),
        "too large": re.sub(r'viewBox="[^"]*"', 'viewBox="0 0 10001 10"', sound, count=1),
        "three numbers": re.sub(r'viewBox="[^"]*"', 'viewBox="0 0 10"', sound, count=1),
        "no numbers": re.sub(r'viewBox="[^"]*"', 'viewBox="a b c d"', sound, count=1),
    }
    for what, text in wrong.items():
        check.equal((what, [row[0] for row in subject(text)]), (what, ["PV715"]))


@fault("svg/form")
def what_is_no_drawing_is_said_to_run(faults: Sequence[tuple[Any, ...]], case: Case) -> list[tuple[Any, ...]]:
    return [("PV716", *row[1:]) for row in faults]


@falsifier("FALSIFY-DOC-012", because=INSIDE)
def what_runs_or_fetches_is_found(subject: Subject, case: Case, check: Check) -> None:
    sound = drawn_in(case.source)
    head, foot = sound[: sound.rindex("</svg>")], sound[sound.rindex("</svg>") :]
    line = head.count("\n") + 1
    for outlaw in OUTLAWS:
        check.equal((outlaw, [row[:2] for row in subject(f"{head}{outlaw}{foot}")]), (outlaw, [("PV716", line)]))
    declared = f'<!DOCTYPE svg [<!ENTITY a "b">]>{sound}'
    check.equal([row[:2] for row in subject(declared)], [("PV716", 1)])


@fault("svg/inert")
def scripts_are_told_a_line_late(faults: Sequence[tuple[Any, ...]], case: Case) -> list[tuple[Any, ...]]:
    return a_line_late("PV716", faults)


@falsifier("FALSIFY-DOC-013", because=INSIDE)
def sound_drawings_pass(subject: Subject, case: Case, check: Check) -> None:
    check.equal(subject(drawn_in(case.source)), [])


@fault("svg/clean")
def references_are_refused(faults: Sequence[tuple[Any, ...]], case: Case) -> list[tuple[Any, ...]]:
    return [*faults, ("PV716", 1, 1, "a reference", "take it out")]


# --- scheme --------------------------------------------------------------------------------------------------------


@falsifier("FALSIFY-DOC-021", because=BEFORE)
def no_disguise_hides_a_scheme(subject: Subject, case: Case, check: Check) -> None:
    chance = luck(case.target)
    for scheme in ("javascript", "vbscript", "data"):
        for _ in range(4):
            check.equal(subject(disguised(scheme, chance) + case.target), scheme)


def disguised(scheme: str, chance: Random) -> str:
    """`scheme` and a colon, each character as it is, in upper case, as an entity, percent-encoded, or after one nobody sees."""
    made = chance.choice(("", " ", "\x01", "\u00a0"))
    for sign in f"{scheme}:":
        made += chance.choice(
            (
                sign,
                sign.upper(),
                f"&#{ord(sign)};",
                f"&#x{ord(sign):X};",
                f"%{ord(sign):02X}",
                f"%26%23{ord(sign)}%3B",
                chance.choice("\t\n\r\x00\u200b\u00ad") + sign,
                f"&Tab;{sign}",
            )
        )
    return made


@fault("scheme/undisguised")
def only_lower_case_is_refused(refused: str, case: Case) -> str:
    return refused if case.target.islower() else ""


@falsifier("FALSIFY-DOC-022", because=BEFORE)
def harmless_targets_are_not_refused(subject: Subject, case: Case, check: Check) -> None:
    for before in ("https://example.org/", "HTTP://x/", "mailto:a@b", "./", "#", "../data:", "a/javascript:"):
        check.equal((before, subject(before + case.target)), (before, ""))


@fault("scheme/harmless")
def every_colon_is_refused(refused: str, case: Case) -> str:
    return refused or "data"
