# From nothing to the book: `make book`. Needs make, git, and a Python 3.11 to 3.13 with venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# What Keras computes with: cpu or gpu. The two TensorFlows install the same files, so never both.
BACKEND ?= cpu
# What the commands need, as extras of pyproject.toml. A set is installed when a command first asks for it:
# that of the book alone, the others on top of it, and the tools of `make check` beside it.
EXTRAS_book := $(BACKEND),area,stac,forest,book
EXTRAS_experiments := experiments
EXTRAS_test := experiments,test
EXTRAS_jax := jax
EXTRAS_check := dev
PYTHON ?=
CORES ?= 1
SEEDS ?= 1
BOOK_FLAGS ?=
# All cores; the tests of one file, and the cells of one notebook, stay together; slow files first.
TEST_FLAGS ?= --numprocesses logical --dist loadfile --no-loadscope-reorder

export TF_CPP_MIN_LOG_LEVEL ?= 3

# TensorFlow's C++ library says the same two lines at each start, whatever the level: not repeated here.
QUIET := 2> >(grep --line-buffered -vE 'absl::InitializeLog|oneDNN custom operations' >&2)

SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# What a machine with JAX, PyTorch and the usual scientific packages lacks for benchmarks/gpu_check.py,
# as wheels for its Python, 3.11 to 3.13. Each package is named, since the needs of Keras and rasterio
# are mostly there.
GPU_PYTHON ?= 3.12
GPU_WHEELS ?= .wheels
GPU_PACKAGES := affine click click-plugins cligj filelock google-crc32c iniconfig keras msgspec namex optree \
  platformdirs pluggy pyproj pytest rasterio shapely tomli-w
GPU_PLATFORMS := $(foreach glibc,28 27 24 17,--platform manylinux_2_$(glibc)_x86_64) --platform manylinux2014_x86_64

# Two sets must not be installed at once, whatever -j says.
.NOTPARALLEL:
.PHONY: help env book test test-fast test-jax faults fuzz check experiments count-labels bench gpu-wheels constraints clean

help: ## Show this help
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS=$$'\t' read -r name text; \
	do printf '  make %-12s %s\n' "$$name" "$$text"; done

env: $(VENV)/.installed-test $(VENV)/.installed-check ## Set up .venv with all that a contributor needs

$(VENV)/pyvenv.cfg: pyproject.toml
	@if ! $(BIN)/python -c '$(SUITABLE)' 2>/dev/null; then \
	  for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	    if $$python -c '$(SUITABLE)' 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo "make: no Python 3.11, 3.12 or 3.13 with venv found (tried: $(or $(PYTHON),python3.13 python3.12 python3.11 python3))." >&2; \
	    echo "make: install one (Debian: apt install python3 python3-venv) or name one: make PYTHON=/path/to/python3.12 ..." >&2; \
	    exit 1; \
	  fi; \
	  echo "Environment $(VENV) with $$($$found --version)"; \
	  $$found -m venv --clear $(VENV); \
	fi
	@mkdir -p $(VENV)/etc/ipython
	@echo 'c.IPKernelApp.log_level = "ERROR"' > $(VENV)/etc/ipython/ipython_kernel_config.py
	@touch $@

# A file says which set is installed. Its name ends with the name of the set.
$(VENV)/.installed-%: $(VENV)/pyvenv.cfg constraints.txt
	@if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then \
	  uv pip install --python $(BIN)/python --compile-bytecode -c constraints.txt -e '.[$(EXTRAS_$*)]'; \
	else \
	  echo "Installing with pip what '$*' needs: $(EXTRAS_$*) (uv, when present, is faster)"; \
	  $(BIN)/python -m pip install -c constraints.txt -e '.[$(EXTRAS_$*)]'; \
	fi
	@touch $@

$(VENV)/.installed-experiments $(VENV)/.installed-test: $(VENV)/.installed-book
$(VENV)/.installed-jax: $(VENV)/.installed-test

book: $(VENV)/.installed-book ## Build the book: book/_build/html/index.html
	@echo '$(BIN)/jupyter-book build book $(BOOK_FLAGS)'
	@$(BIN)/jupyter-book build book $(BOOK_FLAGS) $(QUIET)

test: $(VENV)/.installed-test ## Run the tests and compare the notebook's stored outputs
	@echo '$(BIN)/python -m pytest --nbval $(TEST_FLAGS)'
	@$(BIN)/python -m pytest --nbval $(TEST_FLAGS) $(QUIET)

test-fast: $(VENV)/.installed-test ## Run the tests that take a minute
	@$(BIN)/python -m pytest -m 'not slow and not jax' $(TEST_FLAGS) $(QUIET)

test-jax: $(VENV)/.installed-jax ## Run the tests of the networks on the JAX backend
	@$(BIN)/python -m pytest -m jax $(QUIET)

faults: $(VENV)/.installed-test ## Run the table of faults: bad input, kills, full disks
	@$(BIN)/python -m pytest -q -m fault $(TEST_FLAGS) $(QUIET)

fuzz: $(VENV)/.installed-test ## Give every reader 100,000 mangled files (FUZZ_CASES)
	FUZZ_CASES=$${FUZZ_CASES:-100000} $(BIN)/python -m pytest -q tests/test_fuzz.py

check: $(VENV)/.installed-check ## Check style, pins and the pairing of the notebook
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pytest -q tests/test_packaging.py

experiments: $(VENV)/.installed-experiments ## Train the eight experiments, only what is stale (CORES=1 SEEDS=1,2,3)
	@echo '$(BIN)/snakemake --cores $(CORES) --config seeds=$(SEEDS)'
	@$(BIN)/snakemake --cores $(CORES) --config seeds=$(SEEDS) $(QUIET)

count-labels: $(VENV)/.installed-book ## Count the real labels again and write the record (MULTISENGE_LABELS)
	$(BIN)/multisenge count-labels

bench: $(VENV)/.installed-book ## Measure all that the chapter Performance shows, ten minutes
	@$(BIN)/python benchmarks/run.py $(QUIET)

gpu-wheels: $(VENV)/pyvenv.cfg ## Download what a borrowed GPU machine lacks: .wheels (GPU_PYTHON=3.12)
	$(BIN)/python -m pip download -q --no-deps --only-binary=:all: --implementation cp \
	  --python-version $(GPU_PYTHON) $(GPU_PLATFORMS) -c constraints.txt -d $(GPU_WHEELS) $(GPU_PACKAGES)
	@du -sh $(GPU_WHEELS)

constraints: ## Pin every package anew, for Python 3.11 to 3.13 (needs uv)
	uv pip compile --universal --fork-strategy fewest --python-version 3.11 --upgrade --all-extras --strip-extras \
	  --no-header --no-annotate --no-emit-find-links --no-emit-index-url -q pyproject.toml -o constraints.txt

clean: ## Remove what was built: the book, its execution cache, tool caches
	rm -rf book/_build .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
