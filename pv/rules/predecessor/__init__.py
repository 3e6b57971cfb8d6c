"""The rules for contracts of the predecessor's dialect; where a defect is the same as in ours, so is the code."""

from pv.rules.predecessor import coverage, floats, identity, keys, references, trials
from pv.rules.predecessor.judged import JudgedPredecessor, check_predecessor

__all__ = [
    "JudgedPredecessor",
    "check_predecessor",
    "coverage",
    "floats",
    "identity",
    "keys",
    "references",
    "trials",
]
