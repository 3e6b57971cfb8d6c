"""A falsifier whose source another process changes, which no eye inside sees."""

import subprocess

from pv import falsifier

CONTRACT = "hostile-v1"


@falsifier("FALSIFY-HOST-084")
def has_itself_rewritten(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)
    subprocess.run(["sh", "-c", f"echo >> {__file__}"], check=True)
