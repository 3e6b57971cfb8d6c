# Two commands: `make gate` runs the main job, `make test` the tests. Both make their environment first.
PYTHON ?= python3
VENV ?= .venv
PV ?= $(VENV)/bin/python -m pv
PYTEST ?= $(VENV)/bin/python -m pytest
READY = $(VENV)/.installed

.PHONY: gate test test-all lint system readme docs help

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

gate: $(READY) ## validate, falsify what is stale, verify ledger and claims, status, gate
	$(PV) validate contracts
	$(PV) falsify --stale
	$(PV) ledger verify
	$(PV) claims
	$(PV) status
	$(PV) gate

test: lint ## lint, types, layers, and the tests (minutes)
	OMP_NUM_THREADS=1 $(PYTEST) -n 2 -m "not slow and not fuzz"

test-all: lint ## as test, with the slow and the fuzz tests
	OMP_NUM_THREADS=1 $(PYTEST) -n 2

lint: $(READY) ## ruff, mypy --strict, the rows of DESIGN
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo

readme: $(READY) ## write the README's transcript, the screens of docs/models.md and the book's pages anew, from fresh runs
	$(VENV)/bin/python tests/transcript.py --write
	$(VENV)/bin/python tests/screens.py --write
	$(VENV)/bin/python tests/tutorial.py --write
	$(VENV)/bin/python tests/book.py --write

docs: $(READY) ## the book, into site/: strict, from files alone
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

system: ## what only some tests need from Debian's packages: gcc
	@echo "gcc: tests/test_aprt.py compiles docs/aprt/aprt.h; without it that is skipped, and fails where CI=true"
	apt-get install --yes --no-install-recommends gcc libc6-dev

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("pv needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
