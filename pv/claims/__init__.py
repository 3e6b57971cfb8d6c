"""Claims: what documents say, held against what the source says."""
