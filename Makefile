# Two commands: `make demo` and `make test`. Both make the virtual environment that they need.
# One job at a time: the targets share that environment.
.NOTPARALLEL:

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# Data of the Berkeley Function Calling Leaderboard, for tests; its dependencies (109 packages) are not wanted.
BFCL = bfcl-eval==2026.3.23
# Files of tests that run side by side. Each has models and processes of its own: more than two want more memory.
WORKERS ?= 2
# What waits for a window to be drawn has the machine to itself.
ALONE = tests/tui tests/terminal

.PHONY: demo test check format clean

demo: $(VENV)/.installed
	$(BIN)/tuner demo

test: $(VENV)/.installed-dev
ifdef PYTEST_ARGS
	$(BIN)/python -m pytest --durations=15 $(PYTEST_ARGS)
else
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --durations=15 -n $(WORKERS) --dist loadfile $(addprefix --ignore=,$(ALONE))
	$(BIN)/python -m pytest --durations=15 $(ALONE)
endif

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tuner_tui needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps '$(BFCL)'
	@touch $@ $(VENV)/.installed
