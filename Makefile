# Two commands matter to a newcomer: `make demo` and `make test`. Both set everything up by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml packages/guiderail-verify/pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup demo test check docs bench clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/ready-dev ## Install everything for working on Guiderail into .venv

demo: $(VENV)/ready-run ## Watch a real credit model go from manifest to production and back
	@$(BIN)/guiderail demo

test: $(VENV)/ready-dev check ## Run every check and every test but the slow ones; SLOW=1 adds them
	@$(BIN)/python -m pytest -n 2 --dist loadscope $(if $(SLOW),,-m "not slow")

check: $(VENV)/ready-dev ## Style, types and layers, without running tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(VENV)/ready-dev ## Build the documentation site into build/docs/site
	@$(BIN)/python docs/build.py

bench: $(VENV)/ready-bench ## Print the figures of docs/performance.md
	@for script in bench/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean: ## Remove the virtual environment and everything that was built
	@rm -rf $(VENV) build demo examples/*/build .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Guiderail needs Python 3.11 or newer; run: make PYTHON=python3.11 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv $(VENV)

# $(1): what to install. Bytecode is compiled because a first start is up to four times slower without.
define install
	@echo "Installing $(1) requirements into $(VENV) (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$(1).txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e packages/guiderail-verify -e .
	@$(BIN)/python -m compileall -q src packages/guiderail-verify/src
	@touch $@
endef

$(VENV)/ready-run: requirements/run.txt $(SOURCES) | $(VENV)/bin/python
	$(call install,run)

# The other policy engines, on top of everything else and in the same versions.
$(VENV)/ready-bench: requirements/bench.txt $(VENV)/ready-dev
	$(call install,bench)

$(VENV)/ready-dev: requirements/dev.txt $(SOURCES) | $(VENV)/bin/python
	$(call install,dev)
