"""`python teeth_rate.py ROOT EQUATION…`: judge every mutant of these equations of microgpt-v1, and print how long that took.

As JSON: `mutants` judged after the first, `judging` seconds they took, `whole` seconds from the start on (the survey of the
subjects, in which every falsifier runs on the code as it is, included).
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from pv.campaign.fate import grounds_of
from pv.campaign.order import Bench
from pv.campaign.teeth import run_teeth
from pv.falsify.work import Work
from pv.project import project_at


def main(root: Path, equations: list[str]) -> None:
    """Without waivers, which would be tried with 10,000 cases each, and with nothing known from before."""
    began = time.perf_counter()
    told: list[float] = []
    project = project_at(root)
    works = [
        Work(contract, test, binding)
        for contract, test in project.select([], ["microgpt-v1"])
        if test.equation in equations
        for binding in project.subjects(contract, test).applicable
    ]
    bench = Bench(project.root, project.sources, project.today, jobs=os.cpu_count() or 1)
    for verdicts in run_teeth(grounds_of(works), bench, watch=lambda name, judged: told.append(time.perf_counter())):
        if verdicts.problem:
            raise SystemExit(f"{verdicts.ground.name}: {verdicts.problem}")
    print(json.dumps({"mutants": len(told) - 1, "judging": told[-1] - told[0], "whole": told[-1] - began}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
