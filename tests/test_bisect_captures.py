"""`pv bisect` on captures: before and after an edit of microGPT, a port that only left a folder, and what becomes a pin."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT, Ran, edit
from test_bisect_command import labels

from pv.falsify.casefile import load_case
from pv.tensors.aprt import read_aprt, write_aprt

Pv = Callable[..., Ran]
KERNELS = "implementations/microgpt/kernels.py"
RIGHT = "return x / torch.sqrt(mean_square + RMS_EPSILON)"
OUTSIDE = "return x / (torch.sqrt(mean_square) + RMS_EPSILON)"


def captured(pv: Pv, root: Path, target: Path, text: str = "emma") -> Path:
    ran = pv("trace", "microgpt", "--text", text, "--save-tensor", "all", "--output", target, cwd=root)
    assert ran.exit == 0, ran.said
    return target


def bisected(pv: Pv, root: Path, *arguments: object, exit: int) -> Any:
    weights = [] if "microgpt" in arguments else ["--weights", "microgpt"]
    ran = pv("bisect", *arguments, *weights, "--format", "json", cwd=root)
    assert ran.exit == exit, ran.said
    return json.loads(ran.out)


@pytest.fixture
def before(pv: Pv, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured(pv, ROOT, tmp_path_factory.mktemp("captures") / "before")


@pytest.fixture
def after(pv: Pv, scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Captured with epsilon outside the root, which the project then still has."""
    edit(scratch / KERNELS, RIGHT, OUTSIDE)
    return captured(pv, scratch, tmp_path_factory.mktemp("captures") / "after")


def test_a_capture_against_itself_is_identical(pv: Pv, before: Path) -> None:
    value = bisected(pv, ROOT, before, before, exit=0)
    assert (value["verdict"], set(labels(value).values())) == ("identical", {"clean"})
    assert (value["weights"]["relation"], value["symptom"]["reference"]) == ("same", None)


def test_the_stage_that_diverged_becomes_a_case_that_breaks_its_test(
    pv: Pv, scratch: Path, before: Path, after: Path
) -> None:
    shutil.rmtree(scratch / "falsifiers/pins", ignore_errors=True)
    value = bisected(pv, scratch, before, after, exit=1)
    assert value["at"] == [{"stage": "embed_norm", "layer": 0}]
    assert {row["stage"] for group in value["more"] for row in group} == {"attn_norm", "ffn_norm"}
    tests = {row["test"] for row in value["pins"]}
    assert "FALSIFY-MG-004" in tests
    assert value["next"] == [f"pv falsify --id {row['test']}" for row in value["pins"]]
    [own] = [row for row in value["pins"] if row["test"] == "FALSIFY-MG-004"]
    assert load_case(scratch / own["path"])["x"].shape == (5, 16)
    ran = pv("falsify", "--id", "FALSIFY-MG-004", "--kind", "algorithm", "--format", "json", cwd=scratch)
    assert ran.exit == 1, ran.said

    again = bisected(pv, scratch, before, after, exit=1)
    assert {row["new"] for row in again["pins"]} == {False}
    names = pv("pin", "FALSIFY-MG-004", "--list", cwd=scratch).out
    assert "pinned" in names


def test_without_pins_nothing_is_written(pv: Pv, scratch: Path, before: Path, after: Path) -> None:
    held = sorted(scratch.rglob("falsifiers/**/*.json"))
    value = bisected(pv, scratch, before, after, "--no-pin", exit=1)
    assert (value["pins"], sorted(scratch.rglob("falsifiers/**/*.json"))) == ([], held)


def test_a_model_is_the_reference_of_a_port_that_left_a_folder(pv: Pv, after: Path) -> None:
    """In the unedited project, so that the reference is right; the tokens are those of the capture."""
    value = bisected(pv, ROOT, "microgpt", after, "--no-pin", exit=1)
    assert value["at"] == [{"stage": "embed_norm", "layer": 0}]
    assert value["tokens"] == [0, 5, 13, 13, 1]
    assert (value["symptom"]["reference"] is None, value["symptom"]["candidate"]) == (False, None)


def test_captures_of_different_tokens_are_refused(pv: Pv, before: Path, tmp_path: Path) -> None:
    other = captured(pv, ROOT, tmp_path / "other", "emmy")
    ran = pv("bisect", before, other, "--weights", "microgpt", cwd=ROOT)
    assert (ran.exit, "the two read different tokens: 5 and 5, from position 4 on others" in ran.err) == (2, True)


def test_weights_of_another_model_are_refused(pv: Pv, before: Path, tmp_path: Path) -> None:
    from implementations.microgpt.checkpoint import save_config, save_model
    from implementations.microgpt.model import DEFAULT, MicroGPT

    save_model(tmp_path, MicroGPT(seed=9))
    save_config(tmp_path, DEFAULT, {})
    ran = pv("bisect", before, before, "--weights", tmp_path, cwd=ROOT)
    assert (ran.exit, "has other weights than the model that" in ran.err) == (2, True), ran.said


def test_a_file_changed_after_capture_is_an_invalid_capture(pv: Pv, before: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(before, changed)
    path = changed / "layer-0/q.bin"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    value = bisected(pv, ROOT, before, changed, exit=3)
    assert value["verdict"] == "invalid_capture"
    assert any("layer 0 q" in note for note in value["notes"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--text", "emma"], "captures say themselves which tokens were read"),
        (["--ladder"], "a capture cannot be run"),
        (["--path", "attn=eager", "--path", "attn=sdpa"], "how it ran is past"),
    ],
)
def test_what_needs_a_model_is_refused(pv: Pv, before: Path, arguments: list[str], said: str) -> None:
    ran = pv("bisect", before, before, "--weights", "microgpt", *arguments, cwd=ROOT)
    assert (ran.exit, said in ran.err) == (2, True), ran.said


def without_manifest(capture: Path, folder: Path) -> tuple[Path, Path]:
    """The same tensors as another program leaves them, the logits of the last token alone; and the map of their shapes."""
    shutil.copytree(capture, folder)
    told = json.loads((folder / "capture.json").read_text())
    (folder / "capture.json").unlink()
    sizes = {letter: size for row in told["stages"] for letter, size in zip(row["axes"], row["shape"], strict=True)}
    logits = read_aprt(folder / "lm_head.bin").values.reshape(-1, sizes["V"])
    write_aprt(folder / "lm_head.bin", logits[-1].copy(), None)
    rows = [f"  {row['stage']}: [{', '.join(row['axes'])}]" for row in told["stages"] if row["stage"] != "lm_head"]
    shapes = folder.with_suffix(".yaml")
    shapes.write_text(
        f"schema: pv/shapes-v1\nsizes: {json.dumps(sizes)}\nstages:\n{chr(10).join(dict.fromkeys(rows))}\n"
        f"  lm_head: [V]\ntokens: {told['tokens']}\n"
    )
    return folder, shapes


def test_a_folder_without_a_manifest_shows_its_stages_and_earns_no_verdict(
    pv: Pv, before: Path, after: Path, tmp_path: Path
) -> None:
    for name, capture, label in (("right", before, "clean"), ("wrong", after, "source")):
        folder, shapes = without_manifest(capture, tmp_path / name)
        value = bisected(pv, ROOT, "microgpt", folder, "--shapes", shapes, exit=3)
        assert any("layout unverified" in note for note in value["notes"])
        assert value["pins"] == []
        assert labels(value)["embed_norm", 0] == label
        assert labels(value)["lm_head", None] != "not_measured"


def test_a_stage_without_its_axis_of_tokens_is_refused_by_name(pv: Pv, before: Path, tmp_path: Path) -> None:
    folder, shapes = without_manifest(before, tmp_path / "capture")
    values = read_aprt(folder / "layer-0/ffn_out.bin").values
    write_aprt(folder / "layer-0/ffn_out.bin", values[: len(values) // 5].copy(), 0)
    shapes.write_text(shapes.read_text().replace("ffn_out: [n, E]", "ffn_out: [E]"))
    ran = pv("bisect", "microgpt", folder, "--shapes", shapes, cwd=ROOT)
    assert (ran.exit, "layer 0 ffn_out has the axes E; " in ran.err) == (3, True), ran.said


def test_shapes_beside_models_are_refused(pv: Pv, tmp_path: Path) -> None:
    ran = pv("bisect", "microgpt", "microgpt", "--text", "emma", "--shapes", tmp_path / "shapes.yaml", cwd=ROOT)
    assert (ran.exit, "--shapes is for captures" in ran.err) == (2, True), ran.said


def test_captures_need_somebodys_weights(pv: Pv, before: Path) -> None:
    ran = pv("bisect", before, before, cwd=ROOT)
    assert (ran.exit, "captures hold no weights" in ran.err, "microgpt, seed 42" in ran.err) == (2, True, True)


def test_a_capture_is_no_reference_of_a_model(pv: Pv, before: Path) -> None:
    ran = pv("bisect", before, "microgpt", cwd=ROOT)
    assert (ran.exit, "turn them round" in ran.err) == (2, True), ran.said


def test_the_pinned_case_is_cut_to_the_domain(pv: Pv, scratch: Path, before: Path, after: Path) -> None:
    """Five tokens into a domain of at most three: those around the worst one stay."""
    path = scratch / "contracts/microgpt-v1.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("  rms_norm:")
    narrowed = text[start:].replace("n: {min: 1, max: 16}", "n: {min: 1, max: 3}", 1)
    path.write_text(text[:start] + narrowed, encoding="utf-8")
    value = bisected(pv, scratch, before, after, exit=1)
    [own] = [row for row in value["pins"] if row["test"] == "FALSIFY-MG-004"]
    kept = load_case(scratch / own["path"])["x"]
    [at] = [row["worst"][0]["index"] for row in value["stages"] if row["stage"] == "embed_norm"]
    whole = torch.from_numpy(_values(after / "layer-0/embedding.bin")).reshape(5, 16)
    assert kept.shape == (3, 16)
    assert any(torch.equal(row, whole[at]) for row in kept)


def test_a_case_outside_the_domain_is_said_and_not_pinned(pv: Pv, scratch: Path, before: Path, after: Path) -> None:
    path = scratch / "contracts/microgpt-v1.yaml"
    text = path.read_text(encoding="utf-8")
    start = text.index("  rms_norm:")
    narrowed = text[start:].replace("range: {min: -1e9, max: 1e9}", "range: {min: 0, max: 1e9}", 1)
    path.write_text(text[:start] + narrowed, encoding="utf-8")
    value = bisected(pv, scratch, before, after, exit=1)
    [row] = value["pins"]
    assert (row["path"], row["why_not"][:44]) == (None, "no case of microgpt-v1 § rms_norm: x has -0.")


def _values(path: Path) -> Any:
    from pv.tensors.aprt import read_aprt

    return read_aprt(path).values.copy()
