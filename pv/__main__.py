"""`python -m pv` is `pv`."""

from pv.cli import entry

if __name__ == "__main__":
    entry()
