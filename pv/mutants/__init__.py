"""Mutants: a function of the project with one edit of its syntax tree, made in memory; no file is touched."""
