"""Contracts, model families and binding registries of the Rust predecessor's dialect: read, never written."""
