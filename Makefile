# Every command a developer or an operator of one machine needs. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
TYPED := $(wildcard api/*/services.py api/*/services/*.py api/*/selectors.py api/*/selectors/*.py api/results/aggregation.py)
UV := 0.13.9

# The tools below start Django without a server's environment.
TOOL := GUILDHALL_MODE=local PYTHONWARNINGS=ignore

.DEFAULT_GOAL := help
.PHONY: help run cluster test check fmt bench openapi lock screenshot ready

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: ## start Guildhall on this machine: http://127.0.0.1:8000, or PORT=…
	@$(PYTHON) -m config.local.run

cluster: ready ## the whole topology on this machine; ARGS=status, down, rejoin
	@$(BIN)/python -m config.cluster $(ARGS)

test: ## every test: server, client, browser; ARGS="tests/work -k claim" picks some
	@$(PYTHON) -m config.local.test $(ARGS)

ready:
	@$(PYTHON) -m config.local.prepare

check: ready ## format, lint, types, import contracts, migrations, API description
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(TOOL) $(BIN)/mypy $(TYPED)
	$(BIN)/lint-imports --no-logo
	$(TOOL) $(BIN)/python manage.py makemigrations --check --dry-run
	$(TOOL) $(BIN)/python manage.py openapi --check
	npm --prefix client run --silent lint

fmt: ready ## format and mend what can be mended by itself
	$(BIN)/ruff check -q --fix-only .
	$(BIN)/ruff format -q .

bench: ready ## measure; writes bench/RESULTS.md and bench/results.json
	$(BIN)/python -m bench.run $(ARGS)

openapi: ready ## write docs/openapi.yaml anew
	$(TOOL) $(BIN)/python manage.py openapi

lock: ready ## pin what pyproject.toml asks for, after it was changed
	$(BIN)/python -m pip install -q uv==$(UV)
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

screenshot: ready ## take docs/screenshot.png from the running demo
	$(BIN)/python -m config.local.screenshot $(ARGS)
