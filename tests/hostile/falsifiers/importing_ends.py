"""Being imported is the end."""

import os

from pv import falsifier

CONTRACT = "hostile-v1"

os._exit(3)


@falsifier("FALSIFY-HOST-082")
def is_never_there(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)
