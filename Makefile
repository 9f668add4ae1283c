# Two commands: `make demo` and `make test`. Both create .venv first.
# The default is the first installed Python of a supported version; `make PYTHON=... demo` takes another.
FITS := -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
PYTHON ?= $(shell for python in python3.12 python3.11 python3.13 python3; do \
	$$python $(FITS) 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
# CUDA libraries are installed only if there is a GPU.
EXTRAS := $(if $(shell command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null),gpu$(comma)test,test)
comma := ,

.PHONY: demo test test-slow test-backends fuzz mutants docs lint results clean

demo: $(VENV)/installed
	$(BIN)/python examples/demo.py

# Tests spend most of their time tracing graphs in one thread, so they run in up to four processes.
test: $(VENV)/installed
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile $(TESTS)

test-slow: $(VENV)/installed
	$(BIN)/python -m pytest -q -m slow

# Downloads PyTorch.
test-backends: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS),backends]'
	$(BIN)/python -m pytest -q -m "slow or not slow" tests/common/training/test_other_backends.py

fuzz: $(VENV)/installed
	$(BIN)/python -m pytest -q -s -m slow tests/fuzz

# Prints the random changes of the source that no test notices.
mutants: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS),mutants]'
	$(BIN)/python tools/mutants.py

# Builds the site of the documentation in build/site.
docs: $(VENV)/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

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
