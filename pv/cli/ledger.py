"""`pv ledger`: what is relied on, written down, taken back, excused, released, told and verified."""

from __future__ import annotations

import click

from pv.cli.gc import gc
from pv.cli.ledger_export import export
from pv.cli.ledger_log import log
from pv.cli.ledger_promote import promote
from pv.cli.ledger_release import release
from pv.cli.ledger_retract import retract
from pv.cli.ledger_verify import verify
from pv.cli.ledger_waive import waive


@click.group()
def ledger() -> None:
    """The ledger: levels somebody relies on, with the receipts that support them.

    A level is computed from runs and cannot be typed. What was promoted is a ratchet: support below it fails the gate, until
    it is earned again, or taken back for a reason that everybody sees. Files are only ever added.

    \b
      pv ledger promote softmax-v1            rely on what evidence supports today
      pv ledger release softmax-v1            record a version with its levels
      pv ledger verify --against origin/main  nothing was changed or taken away
    """


for command in (promote, retract, waive, release, log, verify, export, gc):
    ledger.add_command(command)
