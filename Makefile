# Everything a fresh machine with Python 3.11 or newer and make needs: each target sets up what it uses.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps

.PHONY: app test check bench lock

app: $(STAMPS)/app
	$(BIN)/fauxto app

test: $(STAMPS)/dev
	$(BIN)/python -m pytest

check: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMPS)/dev
	$(BIN)/python -m benchmarks

# Asks the package index for the newest versions that fit pyproject.toml.
lock: $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet uv
	for extra in app dev; do $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
	  --no-emit-index-url --no-header --no-annotate --generate-hashes --extra $$extra pyproject.toml \
	  --output-file requirements/$$extra.lock; done

$(STAMPS)/%: requirements/%.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/$*.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	mkdir -p $(STAMPS) && touch $@
