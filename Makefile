PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup setup-test test test-slow lint demo clean

# One stamp per set of packages, so that a second `make test` installs nothing.
$(VENV)/installed: pyproject.toml constraints.txt CMakeLists.txt $(wildcard cpp/* cpp/*/*)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

setup: $(VENV)/installed

setup-test: $(VENV)/installed-test

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

test: lint
	$(BIN)/pytest

test-slow: setup-test
	$(BIN)/pytest -m slow

clean:
	rm -rf $(VENV) build demo

# Train on the shipped silicon data, evaluate, run: everything a newcomer does first. Results go to demo/.
demo: setup
	$(BIN)/python examples/demo.py demo
