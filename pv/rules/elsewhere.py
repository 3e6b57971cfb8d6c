"""PV100, PV402 to PV409, PV5xx, PV6xx: codes that commands, claims and the ledger emit, so that they can be explained too."""

from __future__ import annotations

from pv.finding import Severity
from pv.rules.registry import explained

explained(
    "PV100",
    """An operand of `pv validate` holds no contract.

    Nothing was checked, and that is no pass. Name a contract file or a folder that holds one; a contract says
    `schema: pv/contract-v1`. Spoken once per operand.

        FAIL    pv validate docs
        PASS    pv validate contracts
    """,
    Severity.UNMEASURED,
)
explained(
    "PV402",
    """A promotion in the ledger is above what fresh evidence supports.

    Somebody relies on that level. The message names what the evidence supports now and why: stale (with the causes),
    falsified, or short of something. What only has to be run again counts as unmeasured and not as an error; what is waived
    just as it is (`pv ledger waive`) as a warning.

        FAIL    promised at PARTIAL, supported is NO EVIDENCE: stale, subject changed (kernels.py: soft_cap)
        PASS    pv falsify --stale     after every change
    """,
)
explained(
    "PV403",
    """A promotion is about a test or a subject that is no longer there.

    Renaming or deleting what was promised would otherwise be the way to make a failing promise go away. Bring the
    test and its binding back.

        FAIL    ledger/ promises FALSIFY-MG-001, and no contract has it any more
        PASS    the test keeps its id; what it asserts has changed, and it was run again
    """,
)
explained(
    "PV404",
    """A test is below the level that `pv gate` asks for.

    `--min-level` is PARTIAL when nothing is said: every test must have held on its default subject, freshly, with teeth.
    A test that does not apply to that subject has not held; on any other subject it must only not be falsified. The message
    names what is missing, the hint the command that earns it. What only has to be run counts as unmeasured.

        FAIL    FALSIFY-MG-004 (torch) is at NO EVIDENCE, not PARTIAL: never run
        PASS    pv gate --falsify stale
    """,
)
explained(
    "PV405",
    """The project has no falsification test at all.

    A gate over nothing would be green and would mean nothing. Write a contract with `falsification_tests`.

        FAIL    contracts/ holds no falsification test
        PASS    pv init DIR     shows a project that has some
    """,
    Severity.UNMEASURED,
)
explained(
    "PV406",
    """A tolerance is more than 100 times the largest residual that a run saw.

    What lies between the two would pass, a defect included. The hint names the tolerance that would do: ten times the
    largest residual, rounded up to one digit. Spoken by `pv falsify`, of what held.

        FAIL    tolerance: {float32: 1e-3}     no residual above 2.1e-7
        PASS    tolerance: {float32: 3e-6}
    """,
    Severity.WARNING,
)
explained(
    "PV409",
    """The project's policy asks for less than pv does by itself.

    `[tool.pv.policy]` says how many cases a level needs; below the built-in 200, and 10 in each stratum, a level means less
    than readers expect. Raise it, or name it where the gate is called, so that whoever reads that knows.

        FAIL    [tool.pv.policy] cases = 50     pv gate
        PASS    [tool.pv.policy] cases = 50     pv gate --policy cases=50
    """,
)
explained(
    "PV500",
    """No contract makes a claim about a document or names one, so `pv claims` looked at nothing.

    A claim ties a place of a document to what it must show. `pv gate` does not ask for any.

        FAIL    no `claims:` in any contract
        PASS    claims: [{id: README-EMBD, document: README.md, cell: {…}, source: {python: config.py, name: N_EMBD}}]
    """,
    Severity.UNMEASURED,
)
explained(
    "PV501",
    """A document says something else than the source that it is claimed to show.

    The place is that of the cell, or of the hole in the phrase; the message quotes both values and names where the value
    stands. Correct the one that is wrong. A constant is folded from the syntax tree, and nothing is imported.

        FAIL    | N_EMBD | 17 |     N_EMBD = 16
        PASS    | N_EMBD | 16 |     N_EMBD = 16
    """,
)
explained(
    "PV502",
    """A claim matches nothing: its document, section, row, column or phrase is not there.

    The claim checks nothing until it does, so a renamed heading does not silently end it. The hint names the nearest.

        FAIL    section: Constants     the document has only "Architecture"
        PASS    section: Architecture
    """,
)
explained(
    "PV503",
    """A claim matches several cells, or a phrase, line or badge that is written more than once.

    Which of them it speaks of is not told, and one of them may be wrong. Make section, row, column or phrase unique.

        FAIL    two rows begin with N_EMBD
        PASS    one row begins with N_EMBD
    """,
)
explained(
    "PV504",
    """The source of a claim gives no value, or one that cannot be written in the claim's form.

    Constants are folded without running anything: literals, arithmetic, other constants of the project. What a call or
    the environment decides has no value that a document could be compared with.

        FAIL    N_EMBD = int(os.environ["EMBD"])
        PASS    N_EMBD = 4 * HEAD_DIM
    """,
)
explained(
    "PV505",
    """Two claims are about the same text.

    A place has one source, or one claim with several. Remove one of the two.

        FAIL    claims A and B, both section Architecture, row N_EMBD, column Value
        PASS    one of them
    """,
)
explained(
    "PV600",
    """The ledger is empty: nothing was promised yet, so there is nothing to verify.

    Run the tests, then record what they support. With `--against REF` it is a note where REF has no ledger yet; one that was
    deleted before REF is looked up in the history, and a clone without the history cannot tell.

        FAIL    ledger/ holds no file
        PASS    pv falsify && pv ledger promote soft-cap-v1
    """,
    Severity.UNMEASURED,
)
explained(
    "PV601",
    """A file of the ledger cannot be believed.

    Every file is named by the digest of its own bytes and written by `pv` alone: this one was changed, cut short,
    renamed, is no canonical JSON, or does not belong there. Restore it from git. What an interrupted write left over is
    a warning, and can be deleted.

        FAIL    ledger/receipts/soft-cap-v1/3f….json, edited by hand
        PASS    git checkout -- ledger
    """,
)
explained(
    "PV602",
    """Something in the ledger cites a file that is not there.

    A promise stands without its receipt, a retraction or a waiver without the promotion it is about, a release without what
    it lists or without the release before it. Restore the file from git.

        FAIL    rm ledger/receipts/soft-cap-v1/3f….json
        PASS    git checkout -- ledger
    """,
)
explained(
    "PV603",
    """A file of the ledger does not fit what cites it or where it lies.

    A receipt about another test or subject, one whose verdict is not held, or a file in another contract's folder is no
    evidence for the promise; a retraction or a waiver of a test that its promotion does not promise, or a release with a level
    that no promotion promises, was not written by `pv`. Restore the ledger from git.

        FAIL    a promise of FALSIFY-MG-001 that cites a receipt of FALSIFY-MG-002
        PASS    pv ledger promote FALSIFY-MG-001
    """,
)
explained(
    "PV604",
    """A file that the ledger had at the git reference given with `--against` is gone, or a release was changed.

    Removing a promotion would drop a promise, removing a receipt its evidence; names of files cannot show that. What no release
    cites may be taken back by a commit: that is a note.

        FAIL    rm ledger/promotions/soft-cap-v1/9a….json
        PASS    git checkout origin/main -- ledger
        PASS    git revert, of a promotion that was never released
    """,
)
explained(
    "PV605",
    """A waiver of a broken promise has lapsed.

    It held until a date, and for exactly what was there when it was written: the level, its causes, the code behind them. One
    of these is over or has changed, so the promise counts as broken again (PV402). Earn it, retract it, or waive anew.

        FAIL    waived until 2026-10-31, and today is 2026-11-01
        PASS    pv falsify --stale
    """,
    Severity.WARNING,
)
explained(
    "PV606",
    """A promise was taken back, and is not made again.

    Whoever relied on it should know why: the message gives the reason. Nothing has to be done; promising the same level again,
    on fresh evidence, ends the note.

        FAIL    pv ledger retract 3f29ab --reason "the port is no longer shipped"
        PASS    pv ledger promote soft-cap-v1
    """,
    Severity.NOTE,
)
explained(
    "PV607",
    """Releases of a contract contradict each other.

    Each release names the one before it. Two that name the same one were made on two branches, and neither knows what the other
    promises; a release whose level of a test is below that of an earlier one drops a promise that was never retracted. Both are
    named. Two branches are joined by a later release, which lists what both promise; any other one has to be withdrawn before
    anybody relies on it.

        FAIL    1.1.0 and 1.2.0 both follow 1.0.0
        PASS    and 1.3.0, made after the merge
    """,
)
explained(
    "PV608",
    """A test's `status:` is below the level that evidence supports.

    A typed level says something else than the one derived, and a reader cannot tell which is meant. Leave it out.

        FAIL    status: PARTIAL_ALGORITHM_LEVEL     evidence supports FUNCTIONAL
        PASS    no `status:`; pv ledger promote FALSIFY-MG-001
    """,
    Severity.WARNING,
)
explained(
    "PV610",
    """A receipt does not reproduce: the same run, made again on today's code, comes to something else.

    `pv gate --reproduce` runs again with the recorded seed and number of cases what a branch adds to the ledger. On the same
    Python, torch and Hypothesis everything has to be equal: verdict, counts, the digest of the cases, strata, teeth, residuals,
    and what the run depended on. Either nobody made that run, or it does not give the same result twice.

        FAIL    a receipt written by hand: verdict held, digests of today, and run again it is falsified
        PASS    the receipt that pv falsify left
    """,
)
explained(
    "PV611",
    """A receipt is self-reported: it could not be run again here.

    The code has changed since, this machine has another Python, torch or Hypothesis, or something that the subject requires
    is missing. That is no evidence against it: what it says rests on whoever wrote it. The count is in the last lines of
    `pv gate --reproduce`.

        FAIL    made with torch 2.12.0, here 2.13.0
        PASS    pv gate --reproduce where it was made
    """,
    Severity.WARNING,
)
