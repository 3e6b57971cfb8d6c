"""PV506 to PV509, and PV7xx: codes about documents, which `pv claims` and `pv gate` emit."""

from __future__ import annotations

from pv.finding import Severity
from pv.rules.registry import explained

explained(
    "PV506",
    """The command that a claim names was never recorded, or what it is made of has changed since.

    `pv claims` runs nothing. `pv claims record ID` runs the command in the project's root and keeps what it prints in
    ledger/records, with the digests of the files it names and of the modules these import. Run it again after a change.

        FAIL    source: {command: [python, tools/count.py]}     tools/count.py was edited
        PASS    pv claims record README-COUNT
    """,
    Severity.UNMEASURED,
)
explained(
    "PV507",
    """A document has a number that no claim binds.

    Told by `pv claims --unbound`, and always of documents whose entry says `numbers: bound`. Code blocks, raw HTML, targets of
    links and numbers that are part of a name (v1.2, sha256) are left out. Bind the number, or say why it has no source.

        FAIL    It has 4,192 parameters.     and no claim about it
        PASS    ignore: [{text: "Python 3.11", reason: the least version is held by the packaging test}]
    """,
)
explained(
    "PV508",
    """An entry of `ignore:` names words that its document does not have.

    What it excused is gone, and what comes in its place would not be seen. Take it out, or write the words as they are.

        FAIL    ignore: [{text: "Python 3.10", reason: …}]     the document says Python 3.11
        PASS    ignore: [{text: "Python 3.11", reason: …}]
    """,
)
explained(
    "PV509",
    """`pv claims --fix` left a wrong claim as it is.

    It writes only what it is sure of: a text that stands plainly in one place of the source, and a value without signs that
    mean something in Markdown. A bound (`at_most`, `at_least`) is for people to choose. Mend the document by hand.

        FAIL    | parameters | 4,<b>1</b>93 |
        PASS    | parameters | **4,193** |
    """,
)
explained(
    "PV700",
    """A document cannot be read, is of no kind that pv knows, or no file is named by a pattern under `documents:`.

    Known are Markdown (.md, .markdown), SVG, media files and the mkdocs.yml of a book; texts are UTF-8. What is not looked at
    is not sound.

        FAIL    documents: [{files: "doc/*.md"}]     the folder is called docs
        PASS    documents: [{files: "docs/*.md"}]
    """,
)
explained(
    "PV701",
    """A heading skips a level.

    Readers, tables of contents and screen readers take the level for the structure. After a heading comes one of the same
    level, of a higher one, or of the next one down.

        FAIL    ## Usage, then #### Options
        PASS    ## Usage, then ### Options
    """,
)
explained(
    "PV702",
    """A document has no heading of level 1, or several.

    It is the title. One in raw HTML (<h1>) counts.

        FAIL    # Usage … # Licence
        PASS    # The project … ## Usage … ## Licence
    """,
)
explained(
    "PV703",
    """A section is missing that the contract asks of the document.

    `sections:` of an entry under `documents:` lists headings; each has to be there, in its words.

        FAIL    sections: [Installation]     the heading is "Install"
        PASS    ## Installation
    """,
)
explained(
    "PV704",
    """A row of a table has another number of cells than the table's head, or the head another than the rule below it.

    GFM drops the cells that are too many and makes up those that are missing; a head that does not fit makes no table at all.
    A pipe separates in code spans too, unless a backslash stands before it.

        FAIL    | a | b |     | 1 | 2 | 3 |
        PASS    | a | b |     | 1 | 2 |
    """,
)
explained(
    "PV705",
    """A link leads nowhere, or has no text.

    Readers cannot follow it, or do not see it.

        FAIL    [the guide]()   [the guide](#)   [](guide.md)
        PASS    [the guide](guide.md)
    """,
)
explained(
    "PV706",
    """A link runs code or carries content of its own: `javascript:`, `vbscript:`, `data:`; or raw HTML does.

    In whatever disguise: upper case, entities, control characters, percent-encoding, around each other too. Of raw HTML:
    scripts, frames, plug-ins and event handlers.

        FAIL    [more](java&#115;cript:alert(1))     <img src="x.png" onerror="…">
        PASS    [more](https://example.org)
    """,
)
explained(
    "PV707",
    """A link or an image leads to a file that the project does not have.

    Targets are relative to the document, or from the project's root with a slash before them, and spelt as the file is: most
    servers tell upper from lower case. Nothing is asked of the network.

        FAIL    [ports](docs/port.md)
        PASS    [ports](docs/ports.md)
    """,
)
explained(
    "PV708",
    """A link leads to an anchor that its document does not have.

    Headings have anchors as GitHub makes them, in a book as MkDocs does; `id` and `name` of raw HTML are anchors too.

        FAIL    [levels](#level)      the heading is "Levels"
        PASS    [levels](#levels)
    """,
)
explained(
    "PV709",
    """An image has no alternative text.

    It is what people read who cannot see it. In raw HTML an empty `alt` says that the image is an ornament.

        FAIL    ![](loss.svg)
        PASS    ![the loss over 1,000 steps](loss.svg)
    """,
)
explained(
    "PV710",
    """A fenced block of code names no language.

    Without it there is no highlighting, and nothing that runs the examples knows which are meant. `text` is one.

        FAIL    ```
        PASS    ```sh
    """,
)
explained(
    "PV711",
    """A badge is not asked for over https, or is of a workflow that this repository does not have.

    The badge of a workflow that was renamed stays grey, or says something of another one.

        FAIL    https://github.com/o/r/actions/workflows/test.yml/badge.svg     there is only ci.yml
        PASS    https://github.com/o/r/actions/workflows/ci.yml/badge.svg
    """,
)
explained(
    "PV712",
    """The licence badge says something else than LICENSE.

    The kind of LICENSE is told by its text. One of a kind that pv does not know cannot be compared.

        FAIL    https://img.shields.io/badge/license-Apache--2.0-blue     LICENSE is MIT's text
        PASS    https://img.shields.io/badge/license-MIT-blue
    """,
)
explained(
    "PV713",
    """The front matter of a document does not parse as YAML, or is no mapping.

    It is what stands between two lines `---` at the very beginning.

        FAIL    title: a: b
        PASS    title: "a: b"
    """,
)
explained(
    "PV714",
    """The navigation of a book and its files are not the same.

    Every entry of `nav` in mkdocs.yml is a file of the book, once; every chapter is an entry, or named below `not_in_nav`.

        FAIL    nav: [index.md]     docs/tutorial.md is there too
        PASS    nav: [index.md, tutorial.md]
    """,
)
explained(
    "PV715",
    """A drawing is no SVG of a plain size.

    Well-formed XML in UTF-8, the root <svg> in SVG's namespace, a viewBox with sides above 0 and at most 10,000, the same of
    width and height where they are given, at most 1 MiB.

        FAIL    <svg width="100" height="50">
        PASS    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">
    """,
)
explained(
    "PV716",
    """A drawing runs something, or fetches something from outside of its file.

    Scripts, event handlers, <foreignObject>, references that do not begin with #, style sheets that import or have escapes,
    processing instructions, document types and entities.

        FAIL    <image href="https://example.org/x.png"/>
        PASS    <use href="#arrow"/>
    """,
)
explained(
    "PV717",
    """The bytes of a media file are not what its name says.

    Programs go by one or the other, and so do people who attack them.

        FAIL    loss.png begins as a JPEG does
        PASS    loss.jpg
    """,
)
