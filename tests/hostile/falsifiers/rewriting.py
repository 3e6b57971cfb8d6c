"""A falsifier that is another one afterwards."""

from pathlib import Path

from pv import falsifier

CONTRACT = "hostile-v1"


@falsifier("FALSIFY-HOST-083")
def rewrites_itself(subject, case, check):
    check.close(subject(case.x), 2 * case.x.double(), dtype=case.x.dtype)
    Path(__file__).write_text(Path(__file__).read_text(encoding="utf-8") + "\n", encoding="utf-8")
