"""Attacks on the commands of a capture, which are run: `pv trace --save-tensor` and `pv diff --values` of what it wrote.

What has to be written follows from microGPT's sizes, restated here. In the order of the contract: cli_signature, determinism,
diff_values_compat. A fault stands after the falsifier that has to catch it.
"""

from __future__ import annotations

from itertools import cycle
from math import prod

from hypothesis import strategies as st

from pv import Case, Check, Subject, falsifier, fault

CONTRACT = "trace-save-tensor-v1"

SIZES = {"E": 16, "H": 4, "D": 4, "F": 64, "V": 27}
LAYER = {
    "token_embedding": "nE", "position_embedding": "nE", "embedding": "nE", "embed_norm": "nE", "attn_norm": "nE",
    "q": "HnD", "k": "HnD", "v": "HnD", "attn_scores": "Hnn", "attn_mask": "nn", "attn_softmax": "Hnn", "attention": "HnD",
    "attn_heads": "HnE", "attn_out": "nE", "post_attn_residual": "nE", "ffn_norm": "nE", "ffn_up": "nF", "ffn_act": "nF",
    "ffn_out": "nE", "post_ffn_residual": "nE",
}  # fmt: skip
WHOLE = {"lm_head": "nV"}
STAGES = LAYER | WHOLE
SOME = (
    "embedding",
    "embed_norm",
    "q",
    "attn_scores",
    "attn_softmax",
    "attn_heads",
    "attn_out",
    "ffn_up",
    "ffn_out",
    "lm_head",
)
NAMES = ("a", "emma", "christopher", "ava", "zoe", "maria", "jo", "ulysses", "zz", "quentin")
BECAUSE = "a command line is no free text: these are all that are tried"

Output = tuple[int, str, str]
Files = dict[str, tuple[int, str]]


def trace(name: str, stages: str, folder: str = "a", more: str = "") -> str:
    """The line that captures."""
    return f"trace microgpt --text {name} --save-tensor {stages} --output {{}}/{folder} {more}".rstrip()


def lines(*steps: str) -> Case:
    """These lines, one after another."""
    return Case(command="\n".join(steps))


def cases(*found: Case) -> st.SearchStrategy[Case]:
    """Exactly these."""
    return st.sampled_from(found)


def files_of(output: Output, folder: str = "a") -> Files:
    """What lies in `folder`: size and SHA-256 by name."""
    rows = [line.split(" ") for line in output[2].splitlines() if line.startswith(f"{folder}/")]
    return {row[0].removeprefix(f"{folder}/"): (int(row[1]), row[2]) for row in rows if len(row) == 3}


def file_name(stage: str) -> str:
    """Where the published layout has it."""
    return f"layer-0/{stage}.bin" if stage in LAYER else f"{stage}.bin"


def size(stage: str, positions: int) -> int:
    """12 bytes and 4 for each value."""
    return 12 + 4 * prod(positions if letter == "n" else SIZES[letter] for letter in STAGES[stage])


def asked(case: Case, line: int = 0) -> tuple[str, list[str]]:
    """The name and the stages of a line of the case."""
    words = case.command.split("\n")[line].split()
    chosen = words[words.index("--save-tensor") + 1].lower()
    return words[3], list(STAGES) if chosen == "all" else chosen.split(",")


# --- cli_signature -------------------------------------------------------------------------------------------------

CHOICES = {
    "one": cases(*(lines(trace("emma", stage)) for stage in STAGES)),
    "several": cases(
        *(
            lines(trace(name, stages))
            for name, stages in zip(NAMES, cycle(("attn_out,lm_head", "q,k,v", "FFN_Out,ffn_up")), strict=False)
        ),
    ),
    "all": cases(*(lines(trace(name, stages)) for name, stages in zip(NAMES, cycle(("all", "ALL")), strict=False))),
}


@falsifier("FALSIFY-APR-TRACE-SAVE-007", cases=CHOICES, because=BECAUSE, timeout=600)
def what_is_asked_for_is_written_and_nothing_else(subject: Subject, case: Case, check: Check) -> None:
    output = subject(*case)
    _, stages = asked(case)
    check.equal(output[0], 0)
    check.equal(sorted(files_of(output)), sorted(["capture.json", *map(file_name, stages)]))


@fault("cli_signature/files")
def one_stage_is_left_out(output: Output, case: Case) -> Output:
    kept = [line for line in output[2].splitlines() if "capture.json" in line or ".bin" not in line]
    return output[0], output[1], "\n".join(kept)


LAST = {
    "all": cases(*(lines(trace(name, "all")) for name in NAMES)),
    "last": cases(*(lines(trace(name, stages, more="--position last"))
                    for name, stages in zip(NAMES, cycle(("lm_head", "ffn_up,lm_head", "attn_out")), strict=False))),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-010", cases=LAST, because=BECAUSE, timeout=600)
def each_file_has_the_size_of_its_stage(subject: Subject, case: Case, check: Check) -> None:
    output = subject(*case)
    name, stages = asked(case)
    check.equal(output[0], 0)
    positions = 1 if "--position last" in case.command else len(name) + 1
    found = files_of(output)
    check.equal({stage: found.get(file_name(stage), (0, ""))[0] for stage in stages},
                {stage: size(stage, positions) for stage in stages})  # fmt: skip


@fault("cli_signature/sizes")
def four_bytes_more(output: Output, case: Case) -> Output:
    rows = [line.split(" ") for line in output[2].splitlines()]
    grown = [[row[0], str(int(row[1]) + 4), row[2]] if len(row) == 3 else row for row in rows]
    return output[0], output[1], "\n".join(" ".join(row) for row in grown)


SAME_LAYERS = {
    "range": cases(*(lines(trace(name, "all"), trace(name, "all", "b", more))
                     for name, more in zip(NAMES, cycle(("--layers 0..1", "--layer 0")), strict=False))),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-009", cases=SAME_LAYERS, because=BECAUSE, timeout=600)
def the_end_of_a_range_is_not_part_of_it(subject: Subject, case: Case, check: Check) -> None:
    output = subject(*case)
    check.equal(output[0], 0)
    check.equal(len(files_of(output)), len(STAGES) + 1)
    check.equal(files_of(output, "b"), files_of(output))


@fault("cli_signature/layers")
def nothing_of_a_layer(output: Output, case: Case) -> Output:
    return output[0], output[1], "\n".join(line for line in output[2].splitlines() if not line.startswith("b/layer-"))


UNKNOWN = {
    "stage": cases(*(lines(trace("emma", stages)) for stages in (
        "nosuch", "ffn_ot", "ffn_out,nosuch", "1", "layer-0/q", "ffn_gate", "q.bin", "*", "al", "all,lm_heads",
    ))),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-008", cases=UNKNOWN, because=BECAUSE, timeout=600)
def an_unknown_stage_is_answered_with_the_list(subject: Subject, case: Case, check: Check) -> None:
    output = subject(*case)
    wrong = next(stage for stage in asked(case)[1] if stage not in (*STAGES, "all"))
    check.equal(output[0], 2)
    check.that(repr(wrong) in output[1], f"the answer does not name {wrong!r}: {output[1]}")
    words = set(output[1].replace(",", " ").split())
    missing = [stage for stage in STAGES if stage not in words]
    check.that(not missing, f"the answer does not list {missing[:3]}")
    check.equal(files_of(output), {})


@fault("cli_signature/rejects_stage")
def the_unknown_one_is_passed_over(output: Output, case: Case) -> Output:
    return 0, output[1], output[2]


MISUSE = {
    "layers": cases(*(lines(trace("emma", "all", more=more)) for more in (
        "--layers 0-1", "--layers 1..1", "--layers 3..1", "--layers 0..=1", "--layers -1..1", "--layers 0..abc",
        "--layers 0..2", "--layer 1", "--layer -1", "--layer x", "--layer 0 --layers 0..1",
    ))),
    "words": cases(
        *(lines(trace("emma", stages)) for stages in ("embedding,,ffn_out", ",", "ffn_out,", ",q")),
        lines("trace microgpt --save-tensor all --output {}/a"),
        lines("trace microgpt --text emma --save-tensor all"),
        lines("trace microgpt --text emma --output {}/a"),
        lines(trace("emma", "all", more="--position first")),
        lines(trace("emma", "all", more="--tokens 0,1")),
        lines(trace("emma", "all", more="--dtype float7")),
    ),
    "folder": cases(*(lines(trace(name, "all"), trace(name, "lm_head")) for name in NAMES)),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-015", cases=MISUSE, because=BECAUSE, timeout=600)
def what_cannot_be_meant_is_refused_and_nothing_is_written(subject: Subject, case: Case, check: Check) -> None:
    steps = case.command.split("\n")
    before = files_of(subject(steps[0])) if len(steps) > 1 else {}
    output = subject(*case)
    check.equal(output[0], 2)
    check.equal(files_of(output), before)
    check.that("Traceback" not in output[1], output[1])


@fault("cli_signature/rejects_usage")
def done_as_far_as_it_goes(output: Output, case: Case) -> Output:
    return 0, output[1], output[2]


# --- determinism ---------------------------------------------------------------------------------------------------

TWICE = {
    "all": cases(*(lines(trace(name, "all"), trace(name, "all", "b")) for name in NAMES)),
    "last": cases(*(lines(trace(name, "all", more="--position last"), trace(name, "all", "b", "--position last"))
                    for name in NAMES)),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-002", cases=TWICE, because=BECAUSE, timeout=600)
def the_same_run_writes_the_same_bytes(subject: Subject, case: Case, check: Check) -> None:
    output = subject(*case)
    first, second = files_of(output), files_of(output, "b")
    check.equal(len(first), len(STAGES) + 1)
    check.equal(second, first)


@fault("determinism/repeatable")
def the_time_in_the_manifest(output: Output, case: Case) -> Output:
    rows = output[2].splitlines()
    return output[0], output[1], "\n".join(f"{row[:-1]}{'0' if row[-1] != '0' else '1'}" if "b/capture.json" in row else row
                                           for row in rows)  # fmt: skip


CHOSEN = {
    "one": cases(*(lines(trace("emma", "all"), trace("emma", stage, "b")) for stage in SOME)),
    "turned": cases(*(lines(trace(name, "all"), trace(name, "lm_head,v,embedding", "b")) for name in NAMES)),
}


@falsifier("FALSIFY-APR-TRACE-SAVE-014", cases=CHOSEN, because=BECAUSE, timeout=600)
def what_else_is_asked_for_changes_no_byte(subject: Subject, case: Case, check: Check) -> None:
    output = subject(*case)
    whole, part = files_of(output), files_of(output, "b")
    _, stages = asked(case, 1)
    for stage in stages:
        check.equal(part.get(file_name(stage)), whole[file_name(stage)])


@fault("determinism/selection")
def the_first_positions_alone(output: Output, case: Case) -> Output:
    return output[0], output[1], output[2].replace("b/", "b/layer-1/")


# --- diff_values_compat --------------------------------------------------------------------------------------------

SAME = {
    "captures": cases(*(lines(trace(name, "all"), trace(name, "all", "b"), "diff --values {}/a {}/b") for name in NAMES)),
    "files": cases(*(lines(trace("emma", "all"), trace("emma", "all", "b"), f"diff --values {{}}/a/{file} {{}}/b/{file}")
                     for file in map(file_name, SOME))),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-011", cases=SAME, because=BECAUSE, timeout=600)
def two_captures_of_one_run_compare_as_identical(subject: Subject, case: Case, check: Check) -> None:
    code, said, _ = subject(*case)
    check.equal(code, 0)
    check.that("identical" in said, said)


@fault("diff_values_compat/same")
def what_was_written_cannot_be_read(output: Output, case: Case) -> Output:
    return 2, "pv: this is no APRT file", output[2]


OTHER = {
    "seeds": cases(*(lines(trace(name, stages), trace(name, stages, "b", "--seed 7"), "diff --values {}/a {}/b")
                     for name, stages in zip(NAMES, cycle(("all", "lm_head", "embedding")), strict=False))),
    "tokens": cases(*(lines(trace(name, "lm_head"), trace(other, "lm_head", "b"), "diff --values {}/a {}/b")
                      for name, other in zip(NAMES, (*NAMES[1:], NAMES[0]), strict=True))),
    "bits": cases(*(lines(trace("emma", "all"), trace("emma", "all", "b"), "remove {}/a/capture.json",
                          "remove {}/b/capture.json",
                          f"flip {{}}/b/{file}",
                          f"diff --values {{}}/a/{file} {{}}/b/{file}")
                    for file in map(file_name, SOME))),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-016", cases=OTHER, because=BECAUSE, timeout=600)
def what_differs_is_told(subject: Subject, case: Case, check: Check) -> None:
    code, said, _ = subject(*case)
    check.equal(code, 1)
    check.that("Traceback" not in said, said)


@fault("diff_values_compat/different")
def all_of_it_agrees(output: Output, case: Case) -> Output:
    return 0, "identical", output[2]


UNMEASURED = {
    "stage": cases(*(lines(trace(name, "all"), trace(name, "ffn_out,lm_head", "b"), f"diff --values {{}}/{pair}")
                     for name, pair in zip(NAMES, cycle(("a {}/b", "b {}/a")), strict=False))),
    "file": cases(*(lines(trace("emma", "all"), trace("emma", "all", "b"), f"remove {{}}/b/{file}", "diff --values {}/a {}/b")
                    for file in map(file_name, SOME))),
    "changed": cases(*(lines(trace("emma", "all"), trace("emma", "all", "b"), f"flip {{}}/b/{file}", "diff --values {}/a {}/b")
                       for file in map(file_name, SOME))),
}  # fmt: skip


@falsifier("FALSIFY-APR-TRACE-SAVE-017", cases=UNMEASURED, because=BECAUSE, timeout=600)
def what_is_missing_or_was_changed_is_not_measured(subject: Subject, case: Case, check: Check) -> None:
    code, said, _ = subject(*case)
    check.equal(code, 3)
    check.that("Traceback" not in said, said)


@fault("diff_values_compat/unmeasured")
def what_both_have_is_enough(output: Output, case: Case) -> Output:
    return 0, "identical", output[2]
