"""Judging many contract files: each once, in several processes, and from memory where nothing has changed."""
