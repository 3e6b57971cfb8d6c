"""Names from files: what is kept, what is counted, what is refused; and the list that is shipped."""

import hashlib
import os
from pathlib import Path

import pytest

from implementations.microgpt.files import Unusable
from implementations.microgpt.names import DEFAULT_NAMES, Names, read_names


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "names.txt"
    path.write_bytes(data)
    return path


def test_names_are_lower_cased_in_the_order_of_their_lines(tmp_path):
    assert read_names(written(tmp_path, b"Emma\nava\n  OLIVIA \n")) == Names(("emma", "ava", "olivia"), 0, 0, 0)


def test_what_is_lost_is_counted(tmp_path):
    text = "\ufeffanne-marie\r\nzoë\r\n\r\n123\r\nabcdefghijklmnopq\r\nmia"
    names = read_names(written(tmp_path, text.encode()))
    assert names == Names(("annemarie", "zo", "abcdefghijklmnopq", "mia"), skipped=2, changed=2, long=1)
    assert names.summary == (
        "4 names, 2 lines without a letter a–z skipped, 2 with other characters left out, 1 cut to 16 letters"
    )


def test_letters_that_lower_case_makes_ascii_are_left_out(tmp_path):
    names = read_names(written(tmp_path, "İda\nCyri\N{KELVIN SIGN}\n".encode()))
    assert names == Names(("da", "cyri"), skipped=0, changed=2, long=0)


def test_the_digest_is_of_the_names_and_their_order(tmp_path):
    first, same, turned = (read_names(written(tmp_path, data)) for data in (b"a\nb\n", b"A\r\nB", b"b\na\n"))
    assert first.sha256 == same.sha256 == hashlib.sha256(b"a\nb\n").hexdigest() != turned.sha256


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "none of its 0 lines holds a letter"),
        (b"12\n--\n\xc3\xa9\n", "none of its 3 lines holds a letter"),
        ("İ\N{KELVIN SIGN}\n".encode(), "none of its 1 lines holds a letter"),  # lower() gives i̇k
        (b"emma\n\xff\xfe\n", "byte 5 is not UTF-8"),
    ],
)
def test_a_file_without_names_is_refused(tmp_path, data, message):
    path = written(tmp_path, data)
    with pytest.raises(Unusable, match=message) as refused:
        read_names(path)
    assert str(path) in str(refused.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path):
    for path, message in ((tmp_path, "no regular file"), (tmp_path / "none", "No such file")):
        with pytest.raises(Unusable, match=message):
            read_names(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_pipe_that_nobody_writes_to_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unusable, match="no regular file"):
        read_names(tmp_path / "pipe")


def test_the_shipped_names_are_clean_and_in_the_order_that_the_notice_says():
    names = DEFAULT_NAMES.read_text(encoding="ascii").splitlines()
    assert read_names(DEFAULT_NAMES) == Names(tuple(names), 0, 0, 0)
    assert names == sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    notice = DEFAULT_NAMES.with_name("NOTICE").read_text(encoding="utf-8")
    assert f"{len(names):,} first names" in notice
    assert "public domain" in notice
