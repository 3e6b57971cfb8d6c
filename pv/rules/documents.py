"""PV1xx, and PV310: codes that reading emits, before there is a contract to judge."""

from __future__ import annotations

from pv.rules.registry import explained

explained(
    "PV101",
    """The text does not parse as YAML.

    Nothing after the place can be trusted, so nothing of the file counts. The usual causes: a tab in the indentation, a
    plain scalar with `: ` or ` #` in it, or one that begins with a sign of YAML's (`|`, `[`, `{`, `*`, `&`, `@`, `%`).

        FAIL    codomain: {0, 1}^n          # a mapping begins at {
        PASS    codomain: "{0, 1}^n"
    """,
)
explained(
    "PV102",
    """A key stands twice in one mapping.

    YAML readers keep one of the two and say nothing: a whole list of tests can disappear. Keep one, or join the two.

        FAIL    {rule: a, rule: b}
        PASS    {rule: a and b}
    """,
)
explained(
    "PV103",
    """An alias, anchor, tag, merge key, directive or second document.

    They let a short text stand for a large or a foreign value, and move what is written away from where it counts.
    Write the value out where it is used; put a second document into a file of its own.

        FAIL    tolerance: *usual
        PASS    tolerance: {float32: 1e-6}
    """,
)
explained(
    "PV104",
    """The file cannot be read, or is not text.

    A contract is a regular file of UTF-8 text without control characters: not a folder, a FIFO, a device or a loop of
    symbolic links, not UTF-16, not a binary file.

        FAIL    file contracts/a-v1.yaml: UTF-16 Unicode text
        PASS    iconv -f UTF-16 -t UTF-8 a-v1.yaml
    """,
)
explained(
    "PV105",
    """A file is larger than any contract needs to be.

    Bounds: 8 MiB, 64 levels, 200,000 values, 1 MiB in one scalar, 100 findings. They keep a hostile file from costing
    time and memory. Split the file; where it is the findings, mend the first ones.

        FAIL    [[[[…]]]]
        PASS    [one, list]
    """,
)
explained(
    "PV106",
    """A value the contract language has no place for.

    NaN and infinity as a bound or a tolerance compare with nothing; a number, `true` or `null` as a key is most likely
    text that lost its quotes. Write a finite number; quote the key.

        FAIL    tolerance: {float32: .inf}
        PASS    tolerance: {float32: 1e-3}
    """,
)
explained(
    "PV110",
    """A key the schema does not know.

    An unknown key is silently dropped by most readers: `falsification:` for `falsification_tests:` has lost whole lists
    of tests. The hint names the nearest known key; keys that begin with `x-` are free.

        FAIL    if_fail: look-ups drop rows
        PASS    if_fails: look-ups drop rows
        PASS    x-ticket: 1204
    """,
)
explained(
    "PV111",
    """A key the schema requires is missing.

    The place is that of the entry which lacks it.

        FAIL    {id: unit_sum, statement: rows sum to 1}
        PASS    {id: unit_sum, statement: rows sum to 1, holds: bounded, tolerance: {float32: 1e-6}}
    """,
)
explained(
    "PV112",
    """A value has another type or another form than the schema asks for.

    The message says what was seen and what is expected. Frequent: a single value where a list belongs, a word outside a
    closed list, a key that has no meaning beside its neighbours (`shape:` of an integer).

        FAIL    binds_to: one_hot/one_per_row
        PASS    binds_to: [one_hot/one_per_row]
    """,
)
explained(
    "PV113",
    """A YAML file in the contracts folder of a project is of no known kind.

    Whatever lies there looks as if it were checked. It is a contract, bindings, a model family or a stage map (`schema: pv/…`),
    or a contract, a model family or a binding registry of the predecessor, known by what it holds. Say which, or move the file
    elsewhere.

        FAIL    contracts/notes.yaml      todo: [softmax, rope]
        PASS    contracts/softmax-v1.yaml schema: pv/contract-v1
    """,
)
explained(
    "PV310",
    """A Python file hides its falsifiers: it does not parse, or a mark's name, or its own budget, is no literal.

    `pv` finds falsifiers, faults and strata by parsing, never by importing. What it cannot read counts as absent.

        FAIL    @falsifier(PREFIX + "-003")
        FAIL    @falsifier("FALSIFY-MG-003", examples=MANY)
        PASS    @falsifier("FALSIFY-MG-003", examples=500)
    """,
)
