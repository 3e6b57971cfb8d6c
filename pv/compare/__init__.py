"""Tensors held against each other: how far apart two are, where, and whether a tolerance admits it."""
