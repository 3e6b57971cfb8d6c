"""Reading the project's Python by parsing it: nothing here imports what it reads."""
