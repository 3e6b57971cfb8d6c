"""A team on one ledger: two clones of one main, which refactor, promote, release, retract and waive, and meet again.

After each step the ledger's answer and the gate's are asserted; where the gate is not green, what it prints is what mends it.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from conftest import Ran, edit
from ledger_project import commit, git, shelf, value
from receipts import promise, put_promotion
from small_project import FILES, write_project

from pv.ledger.store import add

Pv = Callable[..., Ran]

CONTRACT, DOUBLE, TRIPLE = "contracts/double-v1.yaml", "kernels/double.py", "kernels/triple.py"
ONE, TWO = "FALSIFY-D-001", "FALSIFY-D-002"
PARTIAL, FUNCTIONAL, NONE = "PARTIAL_ALGORITHM_LEVEL", "FUNCTIONAL", "NO_EVIDENCE"
TEAM = {
    ".gitignore": ".pv/\n__pycache__/\n",
    ".gitattributes": (Path(__file__).resolve().parent.parent / ".gitattributes").read_text(encoding="utf-8"),
    CONTRACT: """\
schema: pv/contract-v1
metadata: {version: 1.0.0, description: two kernels}
equations:
  double:
    formula: double(x) = 2 x
    domain: x in 0 … 400
    codomain: 0 … 800
    arguments: {x: {type: integer, range: {min: 0, max: 400}, strata: [ordinary]}}
    returns: {y: {type: integer}}
    invariants: [{id: twice, statement: the result is twice the argument, holds: exact}]
  triple:
    formula: triple(x) = 3 x
    domain: x in 0 … 400
    codomain: 0 … 1200
    arguments: {x: {type: integer, range: {min: 0, max: 400}, strata: [ordinary]}}
    returns: {y: {type: integer}}
    invariants: [{id: thrice, statement: the result is three times the argument, holds: exact}]
falsification_tests:
  - {id: FALSIFY-D-001, rule: a result is twice its argument, prediction: double(x) = 2 x for every x,
     binds_to: [double/twice], if_fails: look at the factor}
  - {id: FALSIFY-D-002, rule: a result is three times its argument, prediction: triple(x) = 3 x for every x,
     binds_to: [triple/thrice], if_fails: look at the sum}
""",
    "contracts/binding.yaml": "schema: pv/binding-v1\nbindings:\n" + "".join(
        f'  - {{contract: double-v1, equation: {name}, name: plain, target: "kernels.{name}:{name}", '
        f"live: {{command: [python, -m, app]}}}}\n"
        for name in ("double", "triple")
    ),
    "falsifiers/triple.py": """\
from pv import falsifier, fault

CONTRACT = "double-v1"


@falsifier("FALSIFY-D-002")
def is_thrice(subject, case, check):
    check.equal(subject(case.x), case.x + case.x + case.x)


@fault("triple/thrice")
def one_less(output, case):
    return output - 1
""",
    DOUBLE: "def double(x):\n    return 2 * x\n",
    TRIPLE: "def triple(x):\n    return 3 * x\n",
    "app.py": "from kernels.double import double\nfrom kernels.triple import triple\n\n"
    "for x in range(4):\n    print(double(x), triple(x))\n",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What the ledger says of a clone: exit codes of `pv ledger verify` and `pv gate`, and the level of each test."""

    verified: int
    gate: int
    levels: tuple[str, str]


GREEN = Answer(0, 0, (PARTIAL, PARTIAL))


@dataclass(frozen=True, slots=True)
class Team:
    """Ann's and Bob's clones of the bare repository `main.git`, all in one folder."""

    home: Path
    pv: Pv

    @property
    def ann(self) -> Path:
        return self.home / "ann"

    @property
    def bob(self) -> Path:
        return self.home / "bob"

    def fresh(self, branch: str = "main") -> Path:
        """A new clone of `branch`, as CI has it: nobody's `.pv/` is there."""
        folder = self.home / f"fresh-{len(list(self.home.iterdir()))}"
        git(self.home, "clone", "--quiet", "--branch", branch, "main.git", folder.name)
        return folder

    def gate(self, root: Path, *arguments: str) -> Ran:
        return self.pv("gate", *arguments, cwd=root)

    def answer(self, root: Path) -> Answer:
        verified = self.pv("ledger", "verify", "--against", "origin/main", cwd=root).exit
        rows = json.loads(self.pv("status", "--format", "json", cwd=root).out)["tests"]
        one, two = ([row["level"] for row in rows if row["test"] == id_] for id_ in (ONE, TWO))
        return Answer(verified, self.gate(root, "--against", "origin/main").exit, (one[0], two[0]))

    def on_main(self) -> Answer:
        """What a fresh clone of main says."""
        return self.answer(self.fresh())

    def raise_level(self, root: Path, id_: str) -> None:
        """A run of the kind that was missing, promoted and committed."""
        assert self.pv("falsify", "--id", id_, "--kind", "live", cwd=root).exit == 0
        assert self.pv("ledger", "promote", id_, "--to", "FUNCTIONAL", cwd=root).exit == 0
        commit(root)

    def mend(self, root: Path, *arguments: str) -> list[str]:
        """Run what the gate prints in `root`, which must be red, and commit; what was run. The gate is green then."""
        ran = self.gate(root, *arguments)
        assert ran.exit in (1, 3), ran.said
        steps = list(dict.fromkeys(commands(ran.out)))
        assert steps, ran.said
        for step in steps:
            program, *words = shlex.split(step)
            if program == "git":
                git(root, *words)
            else:
                told = self.pv(*words, cwd=root)
                assert told.exit == 0, (step, told.said)
        if git(root, "status", "--porcelain"):
            commit(root)
        again = self.gate(root, *arguments)
        assert again.exit == 0, again.said
        return steps


def commands(out: str) -> Iterator[str]:
    """The commands in the lines below findings that shut the gate."""
    lines = out.splitlines()
    for finding, hint in pairwise(lines):
        if re.match(r"\S+: (error|unmeasured) PV\d+ ", finding) and hint.startswith("    "):
            for part in re.split(r", then |: ", hint.strip()):
                if part.startswith(("pv ", "git ")):
                    yield part


def push(root: Path, branch: str = "main") -> None:
    git(root, "push", "--quiet", "origin", f"HEAD:{branch}")


def pull(root: Path) -> None:
    git(root, "pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main")


def bring_in(root: Path, how: str) -> None:
    """What is on main, into the branch of `root`."""
    git(root, "fetch", "--quiet")
    if how == "squash":
        branch = git(root, "branch", "--show-current").strip()
        git(root, "switch", "--quiet", "--create", "squashed", "origin/main")
        git(root, "merge", "--quiet", "--squash", branch)
        commit(root)
    else:
        git(root, *(["rebase", "--quiet"] if how == "rebase" else ["merge", "--quiet", "--no-edit"]), "origin/main")


def refactor(root: Path, path: str, old: str, new: str) -> None:
    edit(root / path, old, new)
    commit(root)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Main with both tests promised at PARTIAL on generated cases, released as 1.0.0, and two clones of it."""
    home = tmp_path_factory.mktemp("team")
    git(home, "init", "--quiet", "--bare", "--initial-branch", "main", "main.git")
    first = write_project(home / "first", {**FILES, **TEAM})
    (first / "falsifiers").mkdir(exist_ok=True)
    run(first, "falsify", "--kind", "algorithm")
    run(first, "ledger", "promote", "double-v1")
    run(first, "ledger", "release", "double-v1")
    commit(first)
    git(first, "push", "--quiet", "../main.git", "main")
    shutil.rmtree(first)
    for name in ("ann", "bob"):
        git(home, "clone", "--quiet", "main.git", name)
        git(home / name, "remote", "set-url", "origin", "../main.git")
    return home


def run(root: Path, *arguments: str) -> None:
    from pv.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert main(list(arguments)) == 0


@pytest.fixture
def team(founded: Path, tmp_path: Path, pv: Pv) -> Team:
    return Team(shutil.copytree(founded, tmp_path / "team"), pv)


def test_at_first_all_is_green_and_asking_for_more_is_not(team: Team) -> None:
    assert team.on_main() == GREEN
    assert team.gate(team.ann, "--min-level", "FUNCTIONAL").exit == 3


@pytest.mark.parametrize("how", ["merge", "rebase", "squash"])
def test_a_refactor_and_a_promotion_of_the_same_kernel_meet(how: str, team: Team) -> None:
    """Either branch is green alone; together the level that was raised was never shown of the code that there is now."""
    refactor(team.ann, DOUBLE, "2 * x", "x + x")
    assert team.answer(team.ann) == Answer(0, 3, (NONE, PARTIAL))
    assert team.mend(team.ann) == [f"pv falsify --id {ONE}", f"pv ledger promote {ONE} --to PARTIAL"]
    push(team.ann)
    assert team.on_main() == GREEN
    git(team.bob, "switch", "--quiet", "--create", "promote")
    team.raise_level(team.bob, ONE)
    assert team.answer(team.bob) == Answer(0, 0, (FUNCTIONAL, PARTIAL))
    bring_in(team.bob, how)
    assert team.answer(team.bob) == Answer(0, 3, (PARTIAL, PARTIAL))
    push(team.bob)
    main = team.fresh()
    assert team.answer(main) == Answer(0, 3, (PARTIAL, PARTIAL))
    team.mend(main)
    push(main)
    assert team.on_main() == Answer(0, 0, (FUNCTIONAL, PARTIAL))


def test_a_promotion_rests_on_the_whole_command_that_was_run_for_it(team: Team) -> None:
    """A refactor of one kernel makes the live evidence of the other one stale: the command imports both."""
    refactor(team.ann, DOUBLE, "2 * x", "x + x")
    team.mend(team.ann)
    push(team.ann)
    assert team.pv("falsify", "--id", TWO, "--kind", "oracle", cwd=team.bob).exit == 3, "it has no reference"
    refactor(team.bob, "app.py", "range(4)", "range(5)")
    assert team.answer(team.bob) == GREEN, "the command is behind no promise yet"
    team.raise_level(team.bob, TWO)
    bring_in(team.bob, "merge")
    push(team.bob)
    main = team.fresh()
    assert team.answer(main) == Answer(0, 3, (PARTIAL, PARTIAL)), "the command runs both kernels"
    team.mend(main)
    push(main)
    assert team.on_main() == Answer(0, 0, (PARTIAL, FUNCTIONAL))


def test_a_promotion_that_is_reverted_is_told_and_binds_nobody(team: Team) -> None:
    team.raise_level(team.bob, ONE)
    push(team.bob)
    assert team.on_main() == Answer(0, 0, (FUNCTIONAL, PARTIAL))
    pull(team.ann)
    git(team.ann, "revert", "--no-edit", "HEAD")
    assert team.answer(team.ann) == GREEN
    told = team.pv("ledger", "verify", "--against", "origin/main", cwd=team.ann).out
    assert told.count("note PV604") == 2, "the promotion, and the receipt that nothing else cites"
    push(team.ann)
    assert team.on_main() == GREEN


def test_a_release_that_is_reverted_is_missed_and_the_command_that_is_printed_brings_it_back(team: Team) -> None:
    git(team.ann, "rm", "--quiet", "ledger/releases/double-v1/1.0.0.json")
    commit(team.ann)
    assert team.answer(team.ann) == Answer(1, 1, (PARTIAL, PARTIAL))
    steps = team.mend(team.ann, "--against", "origin/main")
    assert steps == ["git checkout origin/main -- ledger/releases/double-v1/1.0.0.json"]
    push(team.ann)
    assert team.on_main() == GREEN


def test_a_refactor_that_is_reverted_makes_the_old_evidence_speak_again(team: Team) -> None:
    refactor(team.ann, DOUBLE, "2 * x", "x + x")
    push(team.ann)
    assert team.on_main() == Answer(0, 3, (NONE, PARTIAL))
    git(team.ann, "revert", "--no-edit", "HEAD")
    push(team.ann)
    assert team.on_main() == GREEN


def test_a_promotion_picked_onto_a_release_branch_has_to_be_shown_of_the_code_there(team: Team) -> None:
    push(team.bob, "release-1.0")
    refactor(team.ann, DOUBLE, "2 * x", "x + x")
    team.mend(team.ann)
    team.raise_level(team.ann, ONE)
    push(team.ann)
    assert team.on_main() == Answer(0, 0, (FUNCTIONAL, PARTIAL))
    picked = git(team.ann, "rev-parse", "HEAD").strip()
    branch = team.fresh("release-1.0")
    git(branch, "fetch", "--quiet", "origin", "main")
    git(branch, "cherry-pick", picked)
    ran = team.pv("ledger", "verify", cwd=branch)
    assert (ran.exit, ran.out.count("error PV602")) == (1, 1), "it cites a receipt that another commit brought"
    team.mend(branch)
    assert team.answer(branch).levels == (FUNCTIONAL, PARTIAL)


def test_a_stale_branch_that_is_merged_late_promises_what_was_shown_of_code_long_gone(team: Team) -> None:
    team.raise_level(team.bob, TWO)
    refactor(team.ann, TRIPLE, "3 * x", "x + x + x")
    team.mend(team.ann)
    refactor(team.ann, TRIPLE, "x + x + x", "x + 2 * x")
    team.mend(team.ann)
    push(team.ann)
    bring_in(team.bob, "merge")
    push(team.bob)
    main = team.fresh()
    assert team.answer(main) == Answer(0, 3, (PARTIAL, PARTIAL))
    team.mend(main, "--against", "origin/main")
    push(main)
    assert team.on_main() == Answer(0, 0, (PARTIAL, FUNCTIONAL))


def raise_and_release(team: Team, root: Path, id_: str, version: str = "") -> None:
    """A raised level, and a release with it; at `version` where its author does not ask `pv bump`."""
    team.raise_level(root, id_)
    if version:
        edit(root / CONTRACT, "version: 1.0.0", f"version: {version}")
    else:
        assert team.pv("bump", "double-v1", cwd=root).exit == 0
    assert team.pv("ledger", "release", "double-v1", cwd=root).exit == 0
    commit(root)
    assert team.answer(root).gate == 0


def test_two_branches_that_release_different_versions_are_joined_by_the_next_one(team: Team) -> None:
    raise_and_release(team, team.ann, ONE)
    push(team.ann)
    raise_and_release(team, team.bob, TWO, "1.2.0")
    git(team.bob, "fetch", "--quiet")
    git(team.bob, "merge", "--quiet", "--no-edit", "--strategy-option", "ours", "origin/main")
    assert team.answer(team.bob) == Answer(1, 1, (FUNCTIONAL, FUNCTIONAL))
    told = team.pv("ledger", "verify", "--against", "origin/main", cwd=team.bob).out
    assert "PV607 double-v1 1.2.0 and double-v1 1.1.0 both follow 1.0.0: neither knows what the other promises" in told
    push(team.bob)  # nobody looked: a release that others may have is not withdrawn
    main = team.fresh()
    steps = team.mend(main, "--against", "origin/main")
    assert steps == ["pv bump double-v1", "pv ledger release double-v1"]
    assert [path.stem for path in shelf(main, "releases")] == ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]
    push(main)
    assert team.on_main() == Answer(0, 0, (FUNCTIONAL, FUNCTIONAL))


def test_two_branches_that_release_the_same_version_conflict_and_main_keeps_its_own(team: Team) -> None:
    raise_and_release(team, team.ann, ONE)
    push(team.ann)
    raise_and_release(team, team.bob, TWO)
    git(team.bob, "fetch", "--quiet")
    with pytest.raises(CalledProcessError):
        git(team.bob, "merge", "--quiet", "--no-edit", "origin/main")
    assert "AA ledger/releases/double-v1/1.1.0.json" in git(team.bob, "status", "--short")
    assert team.pv("ledger", "verify", cwd=team.bob).exit == 0, "git mixes no two files of the ledger"
    commit(team.bob)
    assert team.answer(team.bob) == Answer(1, 1, (FUNCTIONAL, FUNCTIONAL))
    steps = team.mend(team.bob, "--against", "origin/main")
    assert steps == ["git checkout origin/main -- ledger/releases/double-v1/1.1.0.json"]
    assert team.pv("bump", "double-v1", cwd=team.bob).exit == 0
    assert team.pv("ledger", "release", "double-v1", cwd=team.bob).exit == 0
    commit(team.bob)
    push(team.bob)
    assert team.on_main() == Answer(0, 0, (FUNCTIONAL, FUNCTIONAL))
    assert "version: 1.2.0" in (team.bob / CONTRACT).read_text(encoding="utf-8")


def test_a_retraction_takes_back_what_it_names_and_not_what_was_promised_beside_it(team: Team) -> None:
    [name] = [path.stem for path in shelf(team.ann, "promotions")]
    retract = ("ledger", "retract", name, "--id", TWO, "--reason", "no longer shipped")
    assert team.pv(*retract, cwd=team.ann).exit == 0
    refactor(team.ann, TRIPLE, "3 * x", "x + x + x")
    assert "1 retracted" in team.gate(team.ann).out
    assert team.answer(team.ann) == Answer(0, 3, (PARTIAL, NONE)), "every test has to be at PARTIAL, promised or not"
    push(team.ann)
    team.raise_level(team.bob, TWO)
    bring_in(team.bob, "merge")
    push(team.bob)
    main = team.fresh()
    assert team.answer(main) == Answer(0, 3, (PARTIAL, NONE))
    assert team.gate(main).out.count("PV402") == 1, "Bob's promise binds"
    team.mend(main)
    push(main)
    assert team.on_main() == Answer(0, 0, (PARTIAL, FUNCTIONAL))


def test_a_waiver_holds_for_what_it_excuses_and_lapses_when_that_changes_again(team: Team) -> None:
    refactor(team.ann, DOUBLE, "2 * x", "x + x")
    [name] = [path.stem for path in shelf(team.ann, "promotions")]
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    assert team.pv("ledger", "waive", name, "--until", until, "--reason", "ticket 812", cwd=team.ann).exit == 0
    commit(team.ann)
    push(team.ann)
    assert team.on_main() == Answer(0, 0, (NONE, PARTIAL))
    assert "promises: 1 waived" in team.gate(team.fresh()).out
    pull(team.bob)
    refactor(team.bob, DOUBLE, "x + x", "x * 2")
    push(team.bob)
    main = team.fresh()
    assert team.answer(main) == Answer(0, 3, (NONE, PARTIAL))
    assert "warning PV605 the waiver of FALSIFY-D-001 (ticket 812) has lapsed" in team.gate(main).out
    team.mend(main)
    push(main)
    assert team.on_main() == GREEN


def test_a_receipt_that_nobody_ran_is_believed_on_main_until_it_is_run_again(team: Team) -> None:
    ledger = team.bob / "ledger"
    made = next(value(path) for path in shelf(team.bob, "receipts") if value(path)["test"]["id"] == ONE)
    forged = add(ledger / "receipts/double-v1", {**made, "checks": made["checks"] + 1})
    put_promotion(ledger, promise(forged.stem))
    commit(team.bob)
    push(team.bob)
    assert team.on_main() == GREEN
    main = team.fresh()
    steps = team.mend(main, "--reproduce")
    assert steps[0].startswith("git rm ")
    assert not (main / "ledger/receipts/double-v1" / forged.name).exists()
    told = team.pv("ledger", "verify", "--against", "origin/main", cwd=main)
    assert (told.exit, told.out.count("note PV604")) == (0, 2), "what was never released may be taken back"
    push(main)
    assert team.on_main() == Answer(0, 0, (FUNCTIONAL, PARTIAL)), "it promises what was run to mend it"


def test_two_refactors_that_are_right_alone_and_wrong_together_are_no_matter_of_running_again(team: Team) -> None:
    edit(team.ann / DOUBLE, "2 * x", "FACTOR * x")
    refactor(team.ann, DOUBLE, "def double", "from kernels.factor import FACTOR\n\n\ndef double")
    team.mend(team.ann)
    push(team.ann)
    edit(team.bob / "kernels/factor.py", "FACTOR = 2", "FACTOR = 3")
    edit(team.bob / TRIPLE, "3 * x", "FACTOR * x")
    refactor(team.bob, TRIPLE, "def triple", "from kernels.factor import FACTOR\n\n\ndef triple")
    team.mend(team.bob)
    assert team.answer(team.bob).gate == 0
    bring_in(team.bob, "merge")
    assert team.answer(team.bob) == Answer(0, 3, (NONE, PARTIAL))
    assert team.pv(*shlex.split(next(commands(team.gate(team.bob).out)))[1:], cwd=team.bob).exit == 1
    answer = team.answer(team.bob)
    assert (answer.verified, answer.gate, answer.levels[0]) == (0, 1, "FALSIFIED")
    assert team.pv("ledger", "promote", ONE, cwd=team.bob).exit == 1
    edit(team.bob / "kernels/factor.py", "FACTOR = 3", "FACTOR = 2")
    refactor(team.bob, TRIPLE, "FACTOR * x", "3 * x")
    team.mend(team.bob)
    push(team.bob)
    assert team.on_main().gate == 0
