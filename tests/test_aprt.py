"""What other programs may copy: the reader of docs/aprt in Python alone, the writer in C, the example, the page itself."""

from __future__ import annotations

import importlib.util
import json
import re
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from conftest import ROOT, require_program

from pv.tensors import read_aprt, write_aprt

HOME = ROOT / "docs/aprt"
PATTERNS = [0, 1, 0x80000000, 0x007FFFFF, 0x3F800000, 0x7F800000, 0xFF800000, 0x7FC12345, 0x7F800001, 0xFFFFFFFF]
PROGRAM = """\
#include "aprt.h"

int main(int count, char **arguments) {
    static float values[%d];
    static const uint32_t words[] = {%s};
    memcpy(values, words, sizeof words);
    return aprt_write(arguments[1], values, %s, %s) * 10 + (count != 2);
}
"""


@pytest.fixture(scope="module")
def reader() -> ModuleType:
    """docs/aprt/read_aprt.py, as somebody who copied it would import it."""
    spec = importlib.util.spec_from_file_location("read_aprt", HOME / "read_aprt.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reader_is_short_and_needs_the_standard_library_alone() -> None:
    source = (HOME / "read_aprt.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 60
    imported = set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE))
    assert imported, "nothing was looked at"
    assert imported <= sys.stdlib_module_names


@pytest.mark.parametrize("layer", [0, 27, 2**32 - 2, None])
def test_the_reader_gives_every_bit_that_pv_wrote(layer: int | None, reader: ModuleType, tmp_path: Path) -> None:
    write_aprt(tmp_path / "a.bin", np.array(PATTERNS, "<u4").view("<f4"), layer)
    found = reader.read_aprt(tmp_path / "a.bin")
    assert (found.layer, struct.unpack(f"={len(PATTERNS)}I", found.values.tobytes())) == (layer, tuple(PATTERNS))


@pytest.mark.parametrize("data", [
    b"", b"APRT" + bytes(7), b"GGUF" + bytes(8), b"APRT" + struct.pack("<II", 0, 2) + bytes(7),
    b"APRT" + struct.pack("<II", 0, 2) + bytes(9), b"APRT" + struct.pack("<II", 0, 2**32 - 1),
])  # fmt: skip
def test_the_reader_refuses_what_is_not_whole(data: bytes, reader: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.bin (has|begins)"):
        reader.read_aprt(tmp_path / "a.bin")


def test_the_page_shows_what_the_reader_prints() -> None:
    page = (ROOT / "docs/aprt.md").read_text(encoding="utf-8")
    shown = re.search(r"\$ python (docs/aprt/\S+) (\S+)\n(.*)\n", page)
    assert shown
    command = [sys.executable, shown[1], shown[2]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == shown[3] + "\n"
    assert read_aprt(HOME / "example.bin").layer == 3


def test_the_code_of_the_page_runs(tmp_path: Path) -> None:
    page = (ROOT / "docs/aprt.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env={"PYTHONPATH": str(ROOT)})
    assert json.loads((tmp_path / "capture/capture.json").read_bytes())["tokens"] == [1, 2]


def compiled(tmp_path: Path, count: str, layer: str, words: list[int]) -> Path:
    """A program that writes `words` with the header."""
    source = tmp_path / "write.c"
    source.write_text(PROGRAM % (len(words), ", ".join(map(hex, words)), count, layer), encoding="utf-8")
    compiler = require_program("cc", "gcc")
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run([compiler, *flags, f"-I{HOME}", str(source), "-o", str(tmp_path / "write")], check=True)
    return tmp_path / "write"


@pytest.mark.parametrize(("layer", "expected"), [("5", 5), ("APRT_WHOLE_MODEL", None)])
def test_what_c_writes_is_what_pv_writes(layer: str, expected: int | None, tmp_path: Path) -> None:
    words = PATTERNS * 300  # more than one buffer of the header
    program = compiled(tmp_path, str(len(words)), layer, words)
    subprocess.run([program, tmp_path / "c.bin"], check=True)
    write_aprt(tmp_path / "pv.bin", np.array(words, "<u4").view("<f4"), expected)
    assert (tmp_path / "c.bin").read_bytes() == (tmp_path / "pv.bin").read_bytes()


def test_c_writes_an_empty_tensor(tmp_path: Path) -> None:
    subprocess.run([compiled(tmp_path, "0", "0", PATTERNS), tmp_path / "c.bin"], check=True)
    assert (tmp_path / "c.bin").read_bytes() == b"APRT" + bytes(8)


def test_c_refuses_what_does_not_fit_and_says_what_cannot_be_written(tmp_path: Path) -> None:
    program = compiled(tmp_path, "UINT64_C(0x100000000)", "0", PATTERNS)
    assert subprocess.run([program, tmp_path / "c.bin"], check=False).returncode == 10
    assert not (tmp_path / "c.bin").exists()
    program = compiled(tmp_path, "1", "0", PATTERNS)
    assert subprocess.run([program, tmp_path / "missing/c.bin"], check=False).returncode == 20
