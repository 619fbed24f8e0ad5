# `make demo` and `make test` need only make and Python 3.11 or newer.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# pip's steps show that something happens; what goes wrong is on stderr, and ends make.
INSTALL = { PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --no-compile --disable-pip-version-check \
	-c constraints.txt -e '.[$(1)]'; echo "exit $$?"; } | while read -r word rest; do \
	case "$$word $$rest" in Collecting*) echo "  fetching $${rest%%[!A-Za-z0-9_.-]*}" ;; \
	"Installing collected"*) echo "  installing" ;; "exit "*) exit "$$rest" ;; esac; done

.PHONY: debian-proxies demo test test-unit soak fuzz screenshots lint docs help clean

help:
	@echo "make demo              a Drove cluster, HAProxy and the gateway on this machine"
	@echo "make demo ARGS=--once  the same, with each step checked, then exit"
	@echo "make test              lint, types, import rules and all tests, with real proxies"
	@echo "make test-unit         only the tests that start no proxy and no daemon, in under three minutes"
	@echo "make soak              15 minutes of random faults under traffic (SOAK_SECONDS, SOAK_SEED)"
	@echo "make fuzz              ten minutes of each kind of spoilt input (FUZZ_SECONDS, FUZZ_SEED)"
	@echo "make debian-proxies    installs Debian's proxies, certbot and keepalived, for the tests that need them; as root"
	@echo "make docs              the documentation as a site in site/, with a search that needs no Internet"
	@echo "make lint              only ruff, mypy --strict and import-linter"
	@echo "make binary            dist/drove-gateway, one file that needs no Python"
	@echo "make deb, rpm, wheel   the packages, in dist/"
	@echo "make test-packaging    build, install and run each package, as root"
	@echo "make screenshots       take the pictures of the page in docs/images again; needs chromium"
	@echo "make clean             remove the virtual environment and caches"

demo: $(VENV)/.demo
	@$(BIN)/drove-gateway demo $(ARGS)

# Tests with real proxies wait for most of their time, so more of them run than there are cores.
test: lint
	$(BIN)/pytest -n 4 --dist loadgroup --reruns 2 --durations 30 $(ARGS)

test-unit: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist loadgroup -m "not end_to_end" $(ARGS)

soak: export SOAK_SECONDS ?= 900
soak: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist loadgroup -rP tests/faults/test_random.py $(ARGS)

fuzz: export FUZZ_SECONDS ?= 600
fuzz: $(VENV)/.dev
	$(BIN)/pytest -n 2 --dist loadgroup -rP tests/faults/test_fuzz.py $(ARGS)

debian-proxies:
	@tests/install-debian-proxies

screenshots: $(VENV)/.dev
	@$(BIN)/python -m tools.screenshots

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "site/ is complete: $(BIN)/python -m http.server -d site"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv"; exit 1; }
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		if [ "$$(id -u)" = 0 ]; then apt-get update -q && apt-get install -qy python3-venv && $(PYTHON) -m venv $(VENV); \
		else echo "python3-venv is missing: apt-get install python3-venv"; exit 1; fi; }

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the gateway, HAProxy and NGINX into $(VENV): up to a minute ..."
	@$(call INSTALL,demo)
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Setting up $(VENV) with the development tools: up to two minutes ..."
	@$(call INSTALL,dev)
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) dist build site .mypy_cache .ruff_cache .pytest_cache .hypothesis

include packaging/rules.mk
