"""Amounts with a unit on the command line."""

from __future__ import annotations

import click
import pytest

from pv.cli.amounts import size, span


@pytest.mark.parametrize(("text", "seconds"), [
    ("90", 90.0), ("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("0.5", 0.5), ("1.5H", 5400.0), (" 2d ", 172800.0),
    ("10m5", 605.0),
])  # fmt: skip
def test_a_time(text: str, seconds: float) -> None:
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-3", "10x", "m", "10 m", "1e3", "nan", "inf", "5m10x"])
def test_no_time(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time above 0: write 90, 90s, 10m or 1h30m"):
        span(text)


@pytest.mark.parametrize(("text", "amount"), [
    ("4G", 4 * 2**30), ("4g", 4 * 2**30), ("512M", 512 * 2**20), ("1.5GiB", 3 * 2**29), ("4096", 4096), ("1KB", 1024),
])  # fmt: skip
def test_a_size(text: str, amount: int) -> None:
    assert size(text) == amount


@pytest.mark.parametrize("text", ["", "0", "0G", "-1G", "3X", "G", "4 G", "0.1"])
def test_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no amount of memory above 0: write 4G, 512M or a number of bytes"):
        size(text)
