# Everything a person needs: `make run` and `make test`. Needs Debian with Python 3.11, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint lint-types lint-templates lint-code format pytest bench servers clean distclean browser

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
# One more than a small machine has cores: some tests wait for browsers and servers.
JOBS ?= 3

# A production environment for checks that start nothing.
PRODUCTION := MLMCRM_ENV=production ALLOWED_HOSTS=portal.example.com \
  SECRET_KEY=for-the-check-only-0123456789-abcdefghijklmnopqrstuvwxyz \
  FIELD_KEYS=k1:Zm9yLXRoZS1jaGVjay1vbmx5LTMyLWJ5dGVzLWxvbmc= \
  INDEX_KEY=Zm9yLXRoZS1jaGVjay1vbmx5LTMyLWJ5dGVzLWxvbmc= \
  DATABASE_URL=postgresql:///mlmcrm REDIS_URL=redis://localhost/0

export MLMCRM_ENV ?= development

help: ## List the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.ready-run ## Start everything: servers, demo company, web, worker, beat
	@exec $(BIN)/python -m mlmcrm.supervisor

test: $(VENV)/.ready-dev browser lint pytest ## Lint and run the whole suite, browser tests included

lint: $(VENV)/.ready-dev ## Check style, layers, types, migrations and deployment settings
	@$(MAKE) --no-print-directory --jobs $(JOBS) --output-sync lint-types lint-templates lint-code

lint-types:
	$(BIN)/mypy

lint-templates:
	$(BIN)/djlint templates --check --quiet
	$(BIN)/djlint templates --lint --quiet

lint-code:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

pytest: $(VENV)/.ready-dev browser ## Run the tests; ARGS="-k word" picks some
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

format: $(VENV)/.ready-dev ## Put code and templates into the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat --quiet

bench: $(VENV)/.ready-dev ## Time the close of a period at growing sizes
	$(BIN)/python -m tests.benchmarks $(ARGS)

servers: $(VENV)/.ready-run ## Keep PostgreSQL and Valkey up until Ctrl-C and print their addresses
	@exec $(BIN)/python -m mlmcrm.servers

clean: ## Remove what tests and tools left behind
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis staticfiles
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean ## Also remove the virtual environment and the local data
	if [ -x $(BIN)/python ]; then $(BIN)/python -m mlmcrm.servers remove; fi
	rm -rf $(VENV) .data

# The browser tests drive Debian's Chromium.
browser:
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ]; then \
	  echo "Installing Chromium for the browser tests."; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else \
	  echo "The browser tests need Chromium. Install it with:  sudo apt-get install chromium"; exit 1; \
	fi

# The virtual environment, filled again only when the requirements change.
$(VENV)/.ready-run: requirements.txt | $(VENV)/bin/python
	@$(call install,requirements.txt)

$(VENV)/.ready-dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@$(call install,requirements-dev.txt)
	@touch $(VENV)/.ready-run

$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	  echo "This needs Python 3.11. Install it with:  sudo apt-get install python3.11 python3.11-venv"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "Python's venv module is missing. Install it with:  sudo apt-get install python3-venv"; exit 1; }
	@echo "Making the virtual environment."
	@"$(PYTHON)" -m venv $(VENV)

# uv installs in seconds; where it cannot be had or cannot connect, pip does the same in a minute.
define install
echo "Installing $(1)."; \
if { [ -x $(BIN)/uv ] || $(BIN)/pip install -qq --require-hashes -r requirements-bootstrap.txt; } \
  && VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip install --quiet --system-certs --link-mode=copy \
       --require-hashes -r $(1) 2>$(VENV)/uv.log; then :; \
else echo "uv did not manage, so pip installs."; \
  $(BIN)/pip install --quiet --require-hashes -r $(1) || exit 1; fi; \
touch "$@"
endef
