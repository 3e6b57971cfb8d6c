"""Files of tensors: what their headers say, read within bounds; the values themselves only where statistics are asked for."""

from pv.checkpoints.model import Array, Checkpoint, TensorEntry
from pv.checkpoints.read import read_checkpoint
from pv.checkpoints.statistics import Statistics, statistics

__all__ = ["Array", "Checkpoint", "Statistics", "TensorEntry", "read_checkpoint", "statistics"]
