"""What is installed: ranges as `packaging` reads them, commands by what they need."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from pv.installed import NEEDS, Library, libraries, working

numbers = st.lists(st.integers(0, 12), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
bounds = st.tuples(st.sampled_from([">=", "<=", "==", "!=", ">", "<"]), numbers).map("".join)


@given(numbers, st.lists(bounds, max_size=3).map(",".join))
def test_a_version_is_within_a_range_as_packaging_says(version: str, wanted: str) -> None:
    assert Library("torch", wanted, version).serves == SpecifierSet(wanted).contains(version)


def test_what_is_not_here_serves_nothing() -> None:
    assert not Library("torch", "", "").serves


def test_this_installation_asks_for_what_pyproject_says() -> None:
    found = libraries()
    assert found is not None
    assert {row.name for row in found[""]} >= {"click", "rich", "jinja2"}
    assert {row.name for row in found["torch"]} >= {"torch", "hypothesis", "numpy"}
    assert found.keys() >= NEEDS.keys()


def test_a_command_works_exactly_where_all_it_needs_is_here() -> None:
    here, gone, old = Library("a", ">=2", "2.1"), Library("b", "", ""), Library("a", ">=2", "1.9")
    assert working({"": [here], "torch": [here]}, ["gate"])[1] == {}
    works, fails = working({"": [here], "torch": [here, gone]}, ["gate", "falsify"])
    assert ("gate" in works, "falsify" in works, fails["falsify"]) == (True, False, "torch")
    for broken in (gone, old):
        works, fails = working({"": [broken], "torch": [here]}, ["gate"])
        assert (works, fails["gate"], fails["falsify"]) == ([], "", "")
