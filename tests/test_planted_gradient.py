"""RMSNorm's scale detached: every value is right to the last bit, every gradient is wrong, and the contract notices."""

from __future__ import annotations

from pathlib import Path

from conftest import edit
from microgpt_trials import copy_code, drawn, the_contract, trials

from pv.falsify.teeth import ask

OF_VALUES = {"FALSIFY-MG-004", "FALSIFY-MG-036", "FALSIFY-MG-044", "FALSIFY-MG-045", "FALSIFY-MG-049", "FALSIFY-MG-052"}
OF_GRADIENTS = {"FALSIFY-MG-009", "FALSIFY-MG-038", "FALSIFY-MG-046", "FALSIFY-MG-047", "FALSIFY-MG-048"}


def fallen(root: Path) -> set[str]:
    with trials(root) as all_trials:
        return {
            trial.test
            for trial in all_trials
            if trial.test in OF_VALUES | OF_GRADIENTS
            and ask(trial, trial.subject, drawn(trial.test, trial.regions())).decided
        }


def test_a_detached_scale_passes_every_test_of_values_and_none_of_gradients(tmp_path: Path) -> None:
    copy_code(tmp_path)
    assert fallen(tmp_path) == set()

    edit(
        tmp_path / "implementations/microgpt/kernels.py",
        "torch.sqrt(mean_square + RMS_EPSILON)",
        "torch.sqrt(mean_square + RMS_EPSILON).detach()",
    )
    assert fallen(tmp_path) == OF_GRADIENTS


def test_every_test_of_forward_pass_loss_and_sampling_is_one_or_the_other() -> None:
    asked = {"forward_pass", "loss", "gradients", "train_steps", "generate"}
    left = {test.id for test in the_contract().tests if test.equation in asked} - OF_VALUES - OF_GRADIENTS

    # Of shapes, causality and refusals: no value of theirs could be wrong by a gradient.
    assert left == {"FALSIFY-MG-035", "FALSIFY-MG-037", "FALSIFY-MG-039"}
