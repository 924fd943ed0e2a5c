# The verbs of this repository: `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start dozens of servers, each of which would compile all it loads.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
ARGS ?=
TIMES ?= 20
# Flow runs that `make seed` makes.
N ?= 10000
SEED ?= 0
# One seed where one is asked for, else some from 0 on.
SEEDS ?= $(if $(filter file,$(origin SEED)),20,1)
JOBS ?= 2
# Tests wait more than they compute: three at once keep two cores busy.
PARALLEL ?= -n 3 --dist worksteal
VENV := .venv
PREFECT := .venv-prefect
DEMO ?=
DEMO_ENV := .venv-demo
BINARY := .venv-binary
LOCKS := packaging/locks
BIN := $(VENV)/bin
# A lock is complete, so nothing is resolved; pip would, and trip over names with extras.
INSTALL := install --quiet --no-deps --require-hashes --requirement
# What tries as many examples as TIMES says.
MODELS ?= tests/model tests/core/lists tests/core/deployments/test_schedule_properties.py \
	tests/plugins/events/test_filters.py tests/contracts/bad_input/test_mutations.py
# How pytest ends when no test has the mark.
NONE_FOUND := 5

.PHONY: help setup start test lint types suite soak fuzz contract simulate model bench profile seed docs snapshots plugin binary format lock clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev $(PREFECT)/.installed ## make every environment, and what the tests need of the system
	@bash tests/prerequisites.sh
	@if [ -e .git ]; then $(BIN)/pre-commit install >/dev/null; fi

start: $(VENV)/.armillary $(if $(DEMO),$(DEMO_ENV)/.tried) ## start Armillary; ARGS="--port 4300" goes to it, DEMO=1 has it run something
	@exec $(if $(DEMO),$(BIN)/python packaging/demo/show.py --flow-python $(DEMO_ENV)/bin/python --,$(BIN)/armillary start) $(ARGS)

test: lint types suite ## all that must pass: lint, types, suite

lint: $(VENV)/.dev ## rules, format and spelling of the source
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: $(VENV)/.dev ## strict types
	$(BIN)/mypy

suite: $(VENV)/.dev $(PREFECT)/.installed ## the tests alone; ARGS="tests/core -x" goes to pytest
	@bash tests/prerequisites.sh
	$(BIN)/pytest $(PARALLEL) $(ARGS)

soak: $(VENV)/.dev ## the server under real faults for an hour; ARGS="kills --rounds 10" takes a part
	@bash tests/prerequisites.sh
	$(BIN)/python -m tests.soak $(ARGS)

fuzz: $(VENV)/.dev ## the API asked what its own document allows, for two minutes; ARGS="--postgres"
	$(BIN)/python -m tests.fuzz $(ARGS)

contract: $(VENV)/.dev ## every operation asked of started servers on both databases; ARGS="--help" tells the rest
	@bash tests/prerequisites.sh
	$(BIN)/python -m tests.contracts $(ARGS)

simulate: $(VENV)/.dev ## a killed server under simulated time; SEEDS=200 JOBS=2, or SEED=13 for one
	@PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation --seed $(SEED) --seeds $(SEEDS) \
		--jobs $(JOBS) $(if $(KEEP),--keep $(KEEP)) $(if $(LIFE),--life $(LIFE)) \
		$(if $(PLANT),--plant $(PLANT)) $(ARGS)

model: $(VENV)/.dev ## the engine against slow models of it; TIMES=100 tries a hundred times what CI tries
	@bash tests/prerequisites.sh
	ARMILLARY_TEST_MODEL=$(TIMES) $(BIN)/pytest $(MODELS) -q --timeout 86400 $(ARGS)

bench: $(VENV)/.dev ## the figures of tests/speed; ARGS="--help" tells the rest
	$(BIN)/python tests/speed/bench.py $(ARGS)

profile: $(VENV)/.dev ## microseconds per request by layer; ARGS="--help" tells the rest
	$(BIN)/python tests/speed/profile.py $(ARGS)

seed: $(VENV)/.dev ## fill an empty database; N=200000 runs, ARGS="--home /tmp/full", --help tells the rest
	$(BIN)/python tests/speed/seed.py --runs $(N) $(ARGS)

docs: $(VENV)/.dev ## write the generated parts of the documents anew
	$(BIN)/pytest -q -m docs --rewrite || [ $$? -eq $(NONE_FOUND) ]

snapshots: $(VENV)/.dev ## write tests/snapshots anew; the diff is the review
	$(BIN)/pytest -q -m snapshots --rewrite || [ $$? -eq $(NONE_FOUND) ]

plugin: $(VENV)/.dev ## begin a plugin: NAME=hello; AT=../armillary-hello has it stand alone
	@$(BIN)/python plugins/template/render.py "$(NAME)" $(if $(AT),--at "$(AT)")

binary: $(BINARY)/.installed ## build the folder dist/armillary, which runs where there is no Python
	@rm -rf build/wheel
	@$(BINARY)/bin/hatchling build -t wheel -d build/wheel
	@$(BINARY)/bin/pip install --quiet --no-deps --no-index --force-reinstall \
		--find-links build/wheel armillary
	@echo "Putting dist/armillary together ..."
	@PYTHONHASHSEED=0 SOURCE_DATE_EPOCH=0 PYINSTALLER_CONFIG_DIR=$(CURDIR)/build/pyinstaller \
		$(BINARY)/bin/pyinstaller --noconfirm --clean --log-level ERROR \
		--distpath dist --workpath build/binary packaging/binary/armillary.spec
	@echo "dist/armillary/armillary: $$(du -sm dist/armillary | cut -f1) MB"

format: $(VENV)/.dev ## let ruff format and repair what it can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: ## compile packaging/locks from pyproject.toml; UPGRADE=1 takes the newest versions
	@PYTHON=$(PYTHON) bash packaging/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## remove what tools left behind; the environments stay
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis htmlcov .coverage
	find core plugins web migrations packaging tests -name __pycache__ -type d -prune -exec rm -rf {} +

# pip is the last file that making an environment writes, so it stands for the whole.
$(VENV)/bin/pip $(PREFECT)/bin/pip $(DEMO_ENV)/bin/pip $(BINARY)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than 3.11, which Armillary needs: say which to take," \
			"for example: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(@D)/.. || { \
		echo "$(PYTHON) cannot make environments here; on Debian:" \
			"apt-get install python3-venv" >&2; exit 1; }

# Each stamp is older than its lock as soon as the lock changes, and is then made again.
$(VENV)/.runtime: $(LOCKS)/runtime.txt | $(VENV)/bin/pip
	@echo "Installing what Armillary runs on into $(VENV) ..."
	@$(BIN)/pip $(INSTALL) $<
	@touch $@

$(VENV)/.armillary: pyproject.toml $(VENV)/.runtime
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(LOCKS)/dev.txt $(VENV)/.armillary
	@echo "Installing what the tests and checks need into $(VENV) ..."
	@$(BIN)/pip $(INSTALL) $<
	@touch $@

$(PREFECT)/.installed: $(LOCKS)/reference.txt | $(PREFECT)/bin/pip
	@echo "Installing the real Prefect into $(PREFECT) ..."
	@$(PREFECT)/bin/pip $(INSTALL) $<
	@touch $@

$(BINARY)/.installed: $(LOCKS)/binary.txt | $(BINARY)/bin/pip
	@echo "Installing what the binary is made of into $(BINARY) ..."
	@$(BINARY)/bin/pip $(INSTALL) $<
	@touch $@

# The demo does without where it cannot be had.
$(DEMO_ENV)/.tried: $(LOCKS)/reference.txt | $(DEMO_ENV)/bin/pip
	@echo "Installing Prefect for the flow of the demo into $(DEMO_ENV) ..."
	@if $(DEMO_ENV)/bin/pip $(INSTALL) $<; then touch $@; else \
		echo "Prefect cannot be installed here; the demo shows a plain command alone."; fi
