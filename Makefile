PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: setup setup-test test test-slow test-instruction-sets test-sanitized test-baseline lint demo clean

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

# All fast tests with each instruction set that this processor has; `make test` takes the best.
test-instruction-sets: setup-test
	for name in $$($(BIN)/python -c 'from adiabat.kernels.ace import instruction_sets; print(*instruction_sets()[1:])'); do \
	  ADIABAT_INSTRUCTION_SET=$$name $(BIN)/pytest || exit 1; \
	done

# The kernel's tests with its sources compiled to find wrong addresses and undefined behaviour; in an environment of its own.
SANITIZED := build/sanitized
test-sanitized: setup-test
	$(BIN)/python -m venv --without-pip $(SANITIZED)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > $$($(SANITIZED)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/packages.pth
	$(BIN)/pip --python $(SANITIZED)/bin/python install --quiet --no-deps --force-reinstall \
	  -C cmake.define.ADIABAT_SANITIZE=ON -C build-dir=build/sanitized-objects .
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 \
	  $(SANITIZED)/bin/python -m pytest tests/test_kernel_*.py

# The baseline on an emulated processor of 2008 (Debian: qemu-user): a newer instruction would stop it. OpenBLAS cannot tell
# what it runs on there.
QEMU ?= qemu-x86_64
test-baseline: setup-test
	OPENBLAS_CORETYPE=Nehalem $(QEMU) -cpu Nehalem $(BIN)/python -m pytest tests/test_kernel_*.py

test-slow: setup-test
	$(BIN)/pytest -m slow

clean:
	rm -rf $(VENV) build demo

# Train on the shipped silicon data, evaluate, run: everything a newcomer does first. Results go to demo/.
demo: setup
	$(BIN)/python examples/demo.py demo
