"""`train` and `sample` as a user runs them: what they leave, what breaks them off, what they refuse."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import ROOT, Ran
from safetensors.torch import load_file, save_file

from implementations.microgpt.__main__ import main
from implementations.microgpt.checkpoint import CONFIG, WEIGHTS, save_config, save_model
from implementations.microgpt.files import held
from implementations.microgpt.model import Config, MicroGPT
from implementations.microgpt.run import STATE

COMMAND = (sys.executable, "-m", "implementations.microgpt")
QUIET = {**os.environ, "OMP_NUM_THREADS": "1"}
STEPS = "1000"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals, and no flock(2)")


@pytest.fixture
def microgpt(capsys):
    """Run the command in this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> Path:
    """A training of `STEPS` steps that nothing broke off, in a process of its own."""
    folder = tmp_path_factory.mktemp("unbroken") / "model"
    done = subprocess.run([*COMMAND, "train", "--output", folder, "--steps", STEPS], cwd=ROOT, env=QUIET, check=True,
                          capture_output=True, text=True)  # fmt: skip
    names = done.stdout.splitlines()
    assert len(names) == 20
    assert all(re.fullmatch("[a-z]{0,16}", name) for name in names)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_finished_training_leaves_two_files_and_says_what_it_was(unbroken):
    assert sorted(content(unbroken)) == [CONFIG, WEIGHTS]
    training = json.loads((unbroken / CONFIG).read_text())["training"]
    assert sorted(training) == ["loss_last_500", "names", "names_sha256", "seed", "steps"]
    assert (training["steps"], training["seed"]) == (1000, 42)
    assert training["loss_last_500"] < 2.5


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_training_is_repeated_byte_for_byte_with_more_threads(unbroken, tmp_path, microgpt, two_threads):
    assert microgpt("train", "--output", tmp_path / "again", "--steps", STEPS).exit == 0
    assert content(tmp_path / "again") == content(unbroken)
    assert torch.get_num_threads() == 2


def test_another_seed_and_other_names_give_another_model(tmp_path, microgpt):
    (tmp_path / "names.txt").write_text("emma\nava\n")
    options = {"a": [], "b": ["--seed", 7], "c": ["--names", tmp_path / "names.txt"]}
    for folder, more in options.items():
        assert microgpt("train", "--output", tmp_path / folder, "--steps", 5, *more).exit == 0
    assert len({(tmp_path / folder / WEIGHTS).read_bytes() for folder in options}) == 3


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_training_that_is_broken_off_goes_on_to_the_same_bytes(unbroken, tmp_path, microgpt, number):
    folder = tmp_path / "model"
    code, said = begun_then_stopped(folder, number)
    assert code == (-number if number == signal.SIGKILL else 130), said
    kept = int(load_file(folder / STATE)["step"])
    assert 90 <= kept < 1000
    if number != signal.SIGKILL:
        assert f"stopped after step {kept} of 1000" in said
    assert microgpt("sample", folder, "--count", 1).exit == 0  # the model as far as it is

    refused = microgpt("train", "--output", folder, "--steps", STEPS)
    assert (refused.exit, "unfinished; --resume goes on" in refused.err) == (2, True)
    resumed = microgpt("train", "--output", folder, "--resume")
    assert resumed.exit == 0
    assert content(folder) == content(unbroken)


@POSIX
def test_a_state_that_was_changed_ends_in_other_bytes(unbroken, tmp_path, microgpt):
    """The control of the test before: what is resumed decides what comes out."""
    folder = tmp_path / "model"
    begun_then_stopped(folder)
    state = load_file(folder / STATE)
    state["m"] *= 2
    save_file(state, folder / STATE)
    ran = microgpt("train", "--output", folder, "--resume")
    assert ran.exit == 0, ran.err
    assert content(folder)[WEIGHTS] != content(unbroken)[WEIGHTS]


def begun_then_stopped(folder: Path, number: int = signal.SIGINT) -> tuple[int, str]:
    """A training of `STEPS` steps that got the signal after at least 100 of them: how it ended, and what it said then."""
    arguments = ["train", "--output", folder, "--steps", STEPS, "--checkpoint-every", "30"]
    running = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, env=QUIET, stderr=subprocess.PIPE, text=True)
    for line in running.stderr:
        if line.startswith("step"):  # the first word is of step 100
            running.send_signal(number)
            break
    _, said = running.communicate()
    return running.returncode, said


def test_a_training_killed_before_it_kept_anything_begins_anew(tmp_path, microgpt):
    whole, claimed = tmp_path / "whole", tmp_path / "claimed"
    assert microgpt("train", "--output", whole, "--steps", 5).exit == 0
    described = json.loads((whole / CONFIG).read_text())
    del described["training"]["loss_last_500"]
    claimed.mkdir()
    (claimed / CONFIG).write_text(json.dumps(described))
    assert microgpt("train", "--output", claimed, "--resume").exit == 0
    assert content(claimed) == content(whole)


def test_the_same_training_again_finds_itself_finished(tmp_path, microgpt):
    first = microgpt("train", "--output", tmp_path / "model", "--steps", 5)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "model").iterdir()}
    again = microgpt("train", "--output", tmp_path / "model", "--steps", 5)
    assert (again.exit, again.out) == (0, first.out)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "model").iterdir()} == before


def test_a_training_killed_while_it_finished_is_tidied_up(tmp_path, microgpt):
    folder = tmp_path / "model"
    microgpt("train", "--output", folder, "--steps", 5)
    whole = content(folder)
    for name in (STATE, f".{STATE}.tmp"):
        (folder / name).write_bytes(b"left")
    assert microgpt("train", "--output", folder, "--resume").exit == 0
    assert content(folder) == whole


def test_a_finished_training_without_its_weights_is_not_said_to_be_finished(tmp_path, microgpt):
    microgpt("train", "--output", tmp_path, "--steps", 5)
    (tmp_path / WEIGHTS).unlink()
    ran = microgpt("train", "--output", tmp_path, "--resume")
    assert (ran.exit, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran.err
    assert f"{tmp_path / WEIGHTS}: there is no such file" in ran.err


@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_a_folder_whose_description_is_a_link_to_nowhere_is_refused(tmp_path, microgpt, more):
    (tmp_path / CONFIG).symlink_to("nowhere")
    ran = microgpt("train", "--output", tmp_path, "--steps", 1, *more)
    assert (ran.exit, f"{CONFIG}: No such file" in ran.err) == (2, True), ran.err


def test_zeros_in_front_of_a_number_do_not_change_it(tmp_path, microgpt):
    assert microgpt("train", "--output", tmp_path, "--steps", "01", "--seed", "0" * 5000 + "5").exit == 0
    training = json.loads((tmp_path / CONFIG).read_text())["training"]
    assert (training["steps"], training["seed"]) == (1, 5)


@POSIX
@pytest.mark.parametrize(("redirected", "names"), [("2>&-", 20), ("2>/dev/full", 20), (">&-", 0), (">&- 2>&-", 0)])
def test_a_training_needs_nowhere_to_write_to(tmp_path, redirected, names):
    if "full" in redirected and not Path("/dev/full").exists():
        pytest.skip("Linux alone has this device")
    arguments = ["train", "--output", tmp_path / "model", "--steps", "5"]
    done = subprocess.run(["sh", "-c", f'exec "$@" {redirected}', "sh", *COMMAND, *arguments], cwd=ROOT, env=QUIET,
                          stdout=subprocess.PIPE, text=True, check=True)  # fmt: skip
    assert len(done.stdout.splitlines()) == names
    assert sorted(content(tmp_path / "model")) == [CONFIG, WEIGHTS]


@POSIX
def test_a_training_goes_on_when_nobody_reads_how_it_goes(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ["train", "--output", tmp_path / "model", "--steps", "5"]
    done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, env=QUIET, stdout=subprocess.PIPE, stderr=writer, text=True,
                          check=True)  # fmt: skip
    os.close(writer)
    assert len(done.stdout.splitlines()) == 20
    assert sorted(content(tmp_path / "model")) == [CONFIG, WEIGHTS]


@POSIX
def test_a_training_goes_on_when_its_terminal_is_gone(tmp_path):
    terminal, writer = os.openpty()
    arguments = ["train", "--output", tmp_path / "model", "--steps", "500"]
    running = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, env={**QUIET, "TERM": "xterm"}, stderr=writer,
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    os.close(writer)
    seen = b""
    while b"steps/s" not in seen:  # the bar is there
        seen += os.read(terminal, 4096)
    os.close(terminal)
    written, _ = running.communicate()
    assert (running.returncode, len(written.splitlines())) == (0, 20)
    assert sorted(content(tmp_path / "model")) == [CONFIG, WEIGHTS]


def test_names_are_decided_by_seed_and_temperature(tmp_path, microgpt):
    trained = microgpt("train", "--output", tmp_path / "model", "--steps", 5)
    assert microgpt("sample", tmp_path / "model").out == trained.out
    assert microgpt("sample", tmp_path / "model", "--count", 3).out.splitlines() == trained.out.splitlines()[:3]
    assert microgpt("sample", tmp_path / "model", "--seed", 1).out != trained.out
    assert microgpt("sample", tmp_path / "model", "--temperature", 5).out != trained.out


@pytest.mark.parametrize(("arguments", "message"), [
    (["train"], "--output"),
    (["train", "--output", "{new}", "--steps", "0"], "'0'; a whole number of at least 1"),
    (["train", "--output", "{new}", "--steps", "-3"], "'-3'; a whole number of at least 1"),
    (["train", "--output", "{new}", "--steps", "1e3"], "'1e3'; a whole number"),
    (["train", "--output", "{new}", "--seed", "9" * 30], "a whole number of at least 0"),
    (["train", "--output", "{new}", "--checkpoint-every", "0"], "'0'; a whole number of at least 1"),
    (["train", "--output", "{new}", "--device", "abacus"], "--device 'abacus'"),
    (["train", "--output", "{new}", "--device", "meta"], "--device 'meta'"),
    (["train", "--output", "{new}", "--names", "{here}"], "no regular file"),
    (["train", "--output", "{new}", "--names", "{here}/none"], "No such file"),
    (["train", "--output", "{new}", "--names", "{here}/latin.txt"], "byte 3 is not UTF-8"),
    (["train", "--output", "{new}", "--names", "{here}/digits.txt"], "holds a letter"),
    (["train", "--output", "{new}", "--names", "{here}/empty.txt"], "holds a letter"),
    (["train", "--output", "{new}", "--resume"], "nothing to resume"),
    (["train", "--output", "{here}"], "'digits.txt' and no config.json"),
    (["train", "--output", "{here}/digits.txt"], "it is no folder"),
    (["train", "--output", "{here}/digits.txt/model"], "Not a directory"),
    (["sample", "{new}"], "config.json: No such file"),
    (["sample", "{here}", "--count", "0"], "'0'; a whole number"),
    (["sample", "{here}", "--temperature", "0"], "'0'; a number from 0.01 to 100.0"),
    (["sample", "{here}", "--temperature", "nan"], "'nan'; a number"),
    (["paint"], "'paint'"),
])  # fmt: skip
def test_what_cannot_be_used_is_said_in_one_line_and_nothing_is_made(tmp_path, microgpt, arguments, message):
    here, new = tmp_path / "here", tmp_path / "new"
    here.mkdir()
    for name, data in {"latin.txt": b"zo\n\xeb", "digits.txt": b"1\n", "empty.txt": b""}.items():
        (here / name).write_bytes(data)
    ran = microgpt(*(argument.format(here=here, new=new) for argument in arguments))
    assert (ran.exit, ran.out, len(ran.err.splitlines())) == (2, "", 1), ran.said
    assert message in ran.err
    assert not new.exists()
    assert len(list(here.iterdir())) == 3


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path, microgpt):
    tmp_path.chmod(0o500)
    ran = microgpt("train", "--output", tmp_path, "--steps", 1)
    assert (ran.exit, "Permission denied" in ran.err) == (2, True)


def test_a_full_disk_is_said_and_what_was_trained_stays(tmp_path, microgpt, monkeypatch):
    microgpt("train", "--output", tmp_path / "model", "--steps", 5)
    before = content(tmp_path / "model")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    ran = microgpt("train", "--output", tmp_path / "other", "--steps", 5)
    assert (ran.exit, "No space left on device" in ran.err) == (2, True)
    assert content(tmp_path / "model") == before
    monkeypatch.undo()
    assert microgpt("train", "--output", tmp_path / "other", "--steps", 5).exit == 0


@pytest.mark.parametrize(("more", "message"), [
    (["--steps", "6"], "steps is 5 there and 6 here"),
    (["--steps", "5", "--seed", "1"], "seed is 42 there and 1 here"),
    (["--steps", "5", "--names", "{names}"], "names is 5163 there and 1 here"),
    (["--steps", "6", "--resume"], "steps is 5 there and 6 here"),
])  # fmt: skip
def test_another_training_is_not_overwritten(tmp_path, microgpt, more, message):
    (tmp_path / "names.txt").write_text("emma\n")
    microgpt("train", "--output", tmp_path / "model", "--steps", 5)
    before = content(tmp_path / "model")
    more = [word.format(names=tmp_path / "names.txt") for word in more]
    ran = microgpt("train", "--output", tmp_path / "model", *more)
    assert (ran.exit, message in ran.err) == (2, True), ran.err
    assert content(tmp_path / "model") == before


@POSIX
def test_two_trainings_do_not_share_a_folder(tmp_path, microgpt):
    with held(tmp_path):
        ran = microgpt("train", "--output", tmp_path, "--steps", 1)
    assert (ran.exit, "another process" in ran.err) == (2, True)
    assert not list(tmp_path.iterdir())


@POSIX
def test_a_damaged_state_is_refused_and_left(tmp_path, microgpt):
    folder = tmp_path / "model"
    begun_then_stopped(folder)
    whole = (folder / STATE).read_bytes()
    for data in (whole[:1000], (folder / WEIGHTS).read_bytes()):
        (folder / STATE).write_bytes(data)
        ran = microgpt("train", "--output", folder, "--resume")
        assert (ran.exit, str(folder / STATE) in ran.err) == (2, True), ran.err
        assert (folder / STATE).read_bytes() == data
    (folder / STATE).unlink()
    ran = microgpt("train", "--output", folder, "--resume")
    assert (ran.exit, "it is gone" in ran.err) == (2, True)


def test_a_model_without_names_says_so(tmp_path, microgpt):
    other = Config(vocab_size=30)
    save_model(tmp_path, MicroGPT(seed=0, config=other))
    save_config(tmp_path, other, {})
    ran = microgpt("sample", tmp_path)
    assert (ran.exit, "has 30 tokens; 27" in ran.err) == (2, True)


def test_wrong_options_are_answered_without_torch():
    script = (
        "import sys; from implementations.microgpt.__main__ import main; code = main(sys.argv[1:]);"
        "print(code, 'torch' in sys.modules)"
    )
    for arguments, said in ((["train", "--steps", "0"], "2 False\n"), (["sample", "none"], "2 True\n")):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout == said


@pytest.mark.slow
@pytest.mark.parametrize("seed", [42, 1])
def test_two_thousand_steps_bring_the_loss_below_2_3(tmp_path, microgpt, seed):
    assert microgpt("train", "--output", tmp_path / "model", "--steps", 2000, "--seed", seed).exit == 0
    assert json.loads((tmp_path / "model" / CONFIG).read_text())["training"]["loss_last_500"] < 2.3
