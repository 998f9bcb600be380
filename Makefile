# Needs Python 3.10 or newer and make; everything else goes into .venv. `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
ESLINT_READY := tests/ui/node_modules/.ready
IN_VENV := $(VENV)/bin/python
TOOL := $(IN_VENV) -m stash_portability
SOURCE := $(or $(STASH_URL),examples/demo)
# Exit code 1 is success with remarks.
EXPORT = { $(TOOL) $(1) export --from "$(SOURCE)" --to $(2) --overwrite || [ $$? -eq 1 ]; }

export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help run test test-deep check check-ui check-page docs bench package install-dev lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 16

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed and $(PYTHON) is older or missing; try: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "$(PYTHON) cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.run: $(VENV)/.python requirements.lock
	@echo "installing the libraries pinned in requirements.lock into $(VENV) …"
	@$(IN_VENV) -m pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@echo "installing what the tests need into $(VENV) …"
	@$(IN_VENV) -m pip install --quiet --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@

$(VENV)/.browser: $(VENV)/.dev requirements-browser.lock
	@$(IN_VENV) -m pip install --quiet --require-hashes --only-binary :all: -r requirements-browser.lock && touch $@ || \
	  echo "!!! Playwright could not be installed: the browser tests will be SKIPPED" >&2

run: $(VENV)/.run ## export the demo library (or the Stash at STASH_URL) in every format to out/
	@mkdir -p out
	@$(call EXPORT,,out/library.json)
	@$(foreach form,jsonl xml yaml,$(call EXPORT,--quiet,out/library.$(form)) && ) true
	@$(foreach form,csv tsv,$(call EXPORT,--quiet,out/$(form) --format $(form)) && ) true
	@$(call EXPORT,--quiet,out/scenes.csv --kinds scene --bom)
	@$(call EXPORT,--quiet,out/nfo --format nfo --artwork)
	@$(call EXPORT,--quiet,out/gallery --template examples/templates/gallery-html.yaml)
	@echo "the same in the other formats:" && find out -type f | sort

test: $(VENV)/.browser ## unit, contract, property and documentation tests; live ones where a Stash is found
	$(IN_VENV) -m pytest -m "not deep"

test-deep: $(VENV)/.browser ## the long tests too
	$(IN_VENV) -m pytest

check: $(VENV)/.dev check-ui ## ruff, mypy --strict, and generated documentation up to date
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(IN_VENV) -m mypy
	$(IN_VENV) -m stash_portability.docs --check

check-ui: ## ESLint and the tests of the page
	@if command -v node >/dev/null 2>&1; then $(MAKE) --no-print-directory $(ESLINT_READY) && $(MAKE) --no-print-directory check-page; \
	else echo "!!! there is no node here: the page (ui/) was NOT checked"; fi

$(ESLINT_READY): tests/ui/package-lock.json
	@echo "installing ESLint into tests/ui/node_modules …"
	@cd tests/ui && npm ci --silent --no-audit --no-fund && touch node_modules/.ready || \
	  { rm -rf node_modules && echo "!!! ESLint could not be installed: the page was NOT linted" >&2; }

check-page:
	@if [ -f $(ESLINT_READY) ]; then tests/ui/node_modules/.bin/eslint --config tests/ui/eslint.config.mjs ui tests/ui; fi
	node --test tests/ui/

docs: $(VENV)/.run ## write the generated documentation
	$(IN_VENV) -m stash_portability.docs

bench: $(VENV)/.dev ## speed and memory against a real Stash with 100,000 scenes
	$(IN_VENV) -m benchmarks.bench

package: ## the plugin as a zip, and the index Stash installs it from, in dist/
	$(PYTHON) tools/package.py zip dist/stash-portability.zip

install-dev: ## copy the plugin into Stash's plugins folder: make install-dev DIR=/path/to/plugins
	@[ -n "$(DIR)" ] || { echo "give Stash's plugins folder: make install-dev DIR=/path/to/plugins" >&2; exit 2; }
	$(PYTHON) tools/package.py copy "$(DIR)"

lock: ## resolve the pinned libraries anew (needs the package index)
	rm -rf build/lock && $(PYTHON) -m venv build/lock && build/lock/bin/python -m pip install --quiet uv
	build/lock/bin/python tools/lock.py build/lock

clean: ## remove what these targets made
	rm -rf $(VENV) out dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
