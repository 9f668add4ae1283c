# Two commands: `make demo` and `make test`. Both build .venv first.
# The first Python that runs and is of a version the zoo works on; or `make PYTHON=... demo`.
FITS := -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
PYTHON ?= $(shell for python in python3.12 python3.11 python3.13 python3; do \
	$$python $(FITS) 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
# CUDA's libraries are installed where there is a GPU to run them, and only there.
EXTRAS := $(if $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null),gpu$(comma)test,test)
comma := ,

.PHONY: demo test test-slow fuzz lint results clean

demo: $(VENV)/installed
	$(BIN)/python examples/demo.py

# Most of a test's time is one thread that traces graphs: so they run in up to four processes.
test: $(VENV)/installed
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

test-slow: $(VENV)/installed
	$(BIN)/python -m pytest -q -m slow

fuzz: $(VENV)/installed
	$(BIN)/python -m pytest -q -s -m slow tests/fuzz

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

results: $(VENV)/installed
	$(BIN)/python tools/results.py
	$(BIN)/python tools/cards.py

$(VENV)/installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "The zoo needs Python 3.11, 3.12 or 3.13; none is on the PATH." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	touch $@

clean:
	rm -rf $(VENV) demo_output
