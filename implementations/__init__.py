"""The programs under test. They do not know `pv`."""
