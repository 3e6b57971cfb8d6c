"""How large a YAML file may be, and how much is said of it: no file may make anybody wait."""

from __future__ import annotations

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_SCALAR = 1024 * 1024
MAX_FINDINGS = 100
"""Per file, over all that is said of it; see `pv.contract.document.capped`."""
