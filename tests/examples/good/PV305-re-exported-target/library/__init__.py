"""Re-exports."""

from .core import normalise as softmax
