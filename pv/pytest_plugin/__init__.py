"""`pytest --pv`: each falsification test of a project is an item of pytest, named by its id below its contract.

`contracts/microgpt-v1.yaml::FALSIFY-MG-004` is what `pv falsify --id FALSIFY-MG-004` runs, with the same text where it does
not hold; `[numpy]` behind it names another subject than the default one. What could not be measured fails: it is never
skipped. Trials run in processes of their own, so that pytest's imports neither torch nor hypothesis.

pytest imports this at every start: of pv, nothing else is imported before contracts are asked for.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from functools import partial

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of pv."""
    above_zero, not_negative = partial(_whole, 1), partial(_whole, 0)
    group = parser.getgroup("pv", "falsification tests of contracts (pv)")
    group.addoption("--pv", action="store_true", help="Collect the falsification tests of the project's contracts.")
    group.addoption("--pv-subject", metavar="NAME|all", default="", help="Another subject than the default, or all.")
    group.addoption("--pv-examples", metavar="N", type=above_zero, help="Cases per test, over all its strata.")
    group.addoption("--pv-seed", metavar="N", type=not_negative, default=0, help="Another seed draws other cases.")
    about = "As --pv where no paths are given: `true`, or contracts and folders of them, relative to the rootdir."
    parser.addini("pv_contracts", about, type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Take part where contracts are asked for: by --pv, by the ini, or by the name of a file."""
    named = any(argument.partition("::")[0].endswith((".yaml", ".yml")) for argument in config.args)
    if named or config.option.pv or config.getini("pv_contracts"):
        from pv.pytest_plugin.asked import take_part

        take_part(config)


def _whole(least: int, text: str) -> int:
    if not text.isdecimal() or int(text) < least:
        raise ArgumentTypeError(f"{text!r} is no whole number from {least} on")
    return int(text)
