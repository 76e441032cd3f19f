# FERscope: `make run` starts the dashboard, `make test` runs all checks.
PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(FERSCOPE_DATA)
RECIPE ?= cnn
# For a smaller environment without CUDA, set this to the address of PyTorch's CPU wheels (see README).
TORCH_INDEX ?=
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help run setup test lint bench train format clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

run: setup  ## start the dashboard (PORT=8501)
	@$(BIN)/python -m streamlit run dashboard/server.py --server.port $(PORT)

setup: $(VENV)/.installed  ## create the environment only

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "FERscope needs Python 3.11 or newer, found $$($(PYTHON) --version); try make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Creating the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: requirements.txt | $(VENV)/.python
	@echo "Installing requirements.txt; this takes several minutes the first time"
	@if [ -n "$(TORCH_INDEX)" ]; then grep -E '^torch(vision)?==' requirements.txt \
	  | xargs $(BIN)/pip install -q --index-url $(TORCH_INDEX); fi
	@$(BIN)/pip install -q -r requirements.txt
	@$(BIN)/python -c 'from core.faces import detector; print("Face detector:", detector("auto").name)'
	@touch $@

$(VENV)/.installed-tests: tests/requirements.txt $(VENV)/.installed
	@$(BIN)/pip install -q -r tests/requirements.txt
	@touch $@

test: lint  ## run ruff, mypy and pytest, with browser tests if Chromium is installed
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null \
	  || echo "Chromium or chromedriver is not installed: the browser tests are skipped"
	@$(BIN)/python -m pytest -n auto --dist worksteal

lint: $(VENV)/.installed-tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.installed-tests  ## apply ruff's formatter and safe fixes
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

train: setup  ## train a recipe (RECIPE=cnn DATA=path/to/fer2013.csv)
	@$(BIN)/python -m core train $(RECIPE) $(if $(DATA),--data $(DATA))

bench: setup  ## run the benchmarks except memory.py, which takes half an hour, and chance_test.py, which needs a data set
	@for file in $(filter-out benchmarks/memory.py benchmarks/chance_test.py benchmarks/chromium.py,$(wildcard benchmarks/*.py)); do echo "$$file"; $(BIN)/python $$file || exit 1; done

clean:  ## remove the environment and caches
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
