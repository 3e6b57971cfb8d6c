"""The version is replaced and every other byte is kept, or nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pv.contract.document import parse_document
from pv.finding import Exit, PvError
from pv.semver.rewrite import replace_bytes, with_version

BODY = "equations: {f: {formula: 'f(x) = 1.4.0'}}"
NO_TEXT = "\ufeff\x85\u2028\u2029\ufffe\uffff"
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters=NO_TEXT), max_size=12)


@st.composite
def laid_out(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A contract's head before and after, with comments, line ends, quotes and indentation of any kind."""
    end, quote = draw(st.sampled_from(["\n", "\r\n", "\r"])), draw(st.sampled_from(["", "'", '"']))
    space, indent = draw(st.sampled_from([" ", "   "])), " " * draw(st.integers(1, 9))
    comments = [f"{' ' * draw(st.integers(0, 5))}# {draw(words)} 1.4.0" for _ in range(3)]
    tail = draw(st.sampled_from(["", " ", f" # {draw(words)}", end]))
    flow = draw(st.booleans())

    def written(version: str) -> bytes:
        shown = f"{quote}version{quote}:{space}{quote}{version}{quote}"
        head = (
            [f"metadata: {{x-é: 1.4.0, {shown} , description: 1.4.0}}"]
            if flow
            else [
                "metadata:",
                f"{indent}x-é: 1.4.0",
                comments[1],
                f"{indent}{shown}{tail}",
                f"{indent}description: 1.4.0",
            ]
        )
        bom = "\ufeff" if flow and space == " " else ""
        return (bom + end.join([comments[0], "schema: pv/contract-v1", *head, comments[2], BODY])).encode()

    return written("1.4.0"), written("2.0.0-rc.1")


@settings(deadline=None)
@given(laid_out())
def test_every_other_byte_is_kept(pair: tuple[bytes, bytes]) -> None:
    before, after = pair
    assert parse_document(before, "c.yaml").findings == ()
    assert with_version(before, "c.yaml", "2.0.0-rc.1") == after
    assert with_version(after, "c.yaml", "2.0.0-rc.1") == after


@pytest.mark.parametrize(("metadata", "said"), [
    ("  version: 1.4.0\n  version: 1.4.0\n", "has findings"),
    ("  version: >-\n    1.4.0\n", "not written out in one piece"),
    ('  version: "1.4\\x2e0"\n', "not written out in one piece"),
    ("  version: &v 1.4.0\n", "has findings"),
    ("  version: [\n", "has findings"),
])  # fmt: skip
def test_what_is_not_sure_is_refused(metadata: str, said: str) -> None:
    with pytest.raises(PvError) as refused:
        with_version(f"schema: s\nmetadata:\n{metadata}".encode(), "c.yaml", "2.0.0")
    assert said in refused.value.message
    assert refused.value.exit is Exit.MEND


def test_a_version_that_would_be_read_as_something_else_is_refused() -> None:
    with pytest.raises(PvError, match="cannot be sure"):
        with_version(b"schema: s\nmetadata: {version: 1.4.0}", "c.yaml", "2.0")  # a number
    assert with_version(b"schema: s\nmetadata: {version: '1.4.0'}", "c.yaml", "2.0").endswith(b"{version: '2.0'}")


def test_a_write_keeps_mode_and_link_and_leaves_nothing_behind(tmp_path: Path) -> None:
    target, link = tmp_path / "c.yaml", tmp_path / "link.yaml"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target.name)
    replace_bytes(link, b"old", b"new")
    assert (target.read_bytes(), target.stat().st_mode & 0o777, link.is_symlink()) == (b"new", 0o640, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.yaml", "link.yaml"]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "c.yaml"
    target.write_bytes(b"somebody else's")
    with pytest.raises(PvError, match="was changed while it was read"):
        replace_bytes(target, b"old", b"new")
    assert (target.read_bytes(), list(tmp_path.iterdir())) == (b"somebody else's", [target])


def test_a_file_that_cannot_be_written_is_said_and_left_whole(tmp_path: Path) -> None:
    with pytest.raises(PvError, match="cannot write"):
        replace_bytes(tmp_path / "gone.yaml", b"old", b"new")
