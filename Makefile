# `make` alone lists what there is. Nobody types an install command: each target sets up what it needs in .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
ENVIRONMENT ?= default
export SAM_CLI_TELEMETRY := 0
# Bytecode is kept whatever the shell says: without it each command compiles all that it imports, a report three times as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help:  ## List the targets
	@echo "Where does a slow Lambda request spend its time? Start with: make demo"
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- For people -------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: setup  ## Run the traced system here and see where its requests spend their time (ARGS=...; no AWS, no Docker)
	@$(BIN)/lambda-latency demo $(ARGS)

.PHONY: serve
serve: setup  ## Keep the same system up for your own requests, until Ctrl-C (ARGS='--port 3001')
	@$(BIN)/lambda-latency serve $(ARGS)

# boto3 and SAM want a region where nothing is asked of AWS. `deploy` and `prove` take that of the person.
test check: export AWS_DEFAULT_REGION ?= us-east-1

# In three processes, for the tests that start processes mostly wait; otel/tests/conftest.py says which tests share one.
.PHONY: test
test: setup build/urllib3-1.26 build/apps/ready  ## Run the tests, then the sandbox's and the runtime's on every other Python that answers (ARGS=otel/tests/doctor: those alone)
	@$(BIN)/pytest -n 3 --dist loadgroup $(ARGS)
	$(if $(ARGS),,@$(BIN)/python -m lab pythons)

.PHONY: check
check: setup  ## Lint, types, import contracts, template, spelling
	@$(BIN)/ruff format --check --quiet || { echo "not formatted as ruff does it: run make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/python -m lab.house.names
	@$(BIN)/sam validate --lint
	@$(BIN)/lambda-latency doctor --strict
	@$(BIN)/cfn-lint --include-checks I --non-zero-exit-code informational --template template.yaml observability.yaml explain.yaml otel/lambda_latency/archive/archive.yaml
	@$(BIN)/codespell
	@$(MAKE) --silent --no-print-directory check-page

# The lock holds no address, so npm looks in the registry that is set up here.
WHY_NODE := the scripts of the report's page are checked and bundled with Node.js 20 or later (https://nodejs.org)
SCRIPTS := otel/lambda_latency/page/source/script

NPM := $(shell command -v npm)

# A part of `check`: types and lint of those scripts, and whether the bundle is that of them. In CI Node.js has to be there.
.PHONY: check-page
check-page: $(if $(NPM),build/npm/ready)
ifdef NPM
	@build/npm/node_modules/.bin/tsc --project requirements/npm
	@$(BIN)/python -m lab bundle --check
	@build/npm/node_modules/.bin/biome format --log-level=error --config-path requirements/npm $(SCRIPTS)
	@build/npm/node_modules/.bin/biome lint --error-on-warnings --log-level=error --config-path requirements/npm $(SCRIPTS)
else
	@echo "skipped: $(WHY_NODE)" >&2; [ -z "$$CI" ]
endif

build/npm/ready: requirements/npm/package.json requirements/npm/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@cd $(@D) && npm ci --silent --no-audit --no-fund
	@touch $@

.PHONY: format
format: setup  ## Format the code
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet
	@[ ! -e build/npm/ready ] || build/npm/node_modules/.bin/biome format --write --log-level=error --config-path requirements/npm $(SCRIPTS)

.PHONY: collector
collector: build/collector/otelcol  ## Build the collector for demo and tests from Go modules (2 minutes, once)

BUILDER := go.opentelemetry.io/collector/cmd/builder@v0.116.0
# Neither the state of this repository nor a workspace around it is part of what is built.
GO := GOFLAGS=-buildvcs=false GOWORK=off
WHY_GO := the collector is built from Go modules by Go 1.22 or later (https://go.dev/dl). Without it the demo sends \
	spans straight to the laptop's receiver, and tests that need a collector are skipped.

build/collector/otelcol: requirements/collector.yaml
	@command -v go >/dev/null || { echo "Go is not here: $(WHY_GO)" >&2; exit 1; }
	@case $$(go env GOVERSION) in go1.?|go1.?.*|go1.1?|go1.1?.*|go1.2[01]|go1.2[01].*) \
		echo "This is $$(go env GOVERSION): $(WHY_GO)" >&2; exit 1;; esac
	@echo "1 of 2: the builder, $(BUILDER) ..." >&2
	@GOBIN="$(CURDIR)/build/collector" $(GO) go install $(BUILDER)
	@echo "2 of 2: the collector, from $< ..." >&2
	@$(GO) build/collector/builder --config $< --skip-strict-versioning
	@mv build/collector/source/otelcol $@
	@$@ --version

.PHONY: pictures
pictures: setup  ## Draw the pictures of the docs anew (1 minute, needs Chromium; ARGS='--only architecture' does not)
	@$(BIN)/python -m lab pictures $(ARGS)

.PHONY: lab
lab: setup  ## List the programs that measure and try the kit, or run one (NAME=same ARGS='--sample 40')
	@$(BIN)/python -m lab $(NAME) $(ARGS)

# The programs that need these files ask for them.
build/ministack/ready: otel/lambda_latency/local/cloud/ministack.txt | setup
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/ministack
	@VIRTUAL_ENV="$(CURDIR)/build/ministack" $(BIN)/uv pip sync --quiet --require-hashes $<
	@touch $@

RIE := github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d

build/rie/aws-lambda-rie:
	@echo "Building AWS's Runtime Interface Emulator, once ..." >&2
	@GOBIN="$(CURDIR)/$(@D)" $(GO) go install $(RIE)

.PHONY: wheel
wheel: setup  ## Build the package into dist/: a wheel and a source distribution
	@rm -rf dist
	@$(BIN)/python -m hatchling build

BUILD = AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1} $(BIN)/sam build && { [ -n "$(RUNTIME_PYTHON)" ] || \
	echo "No bytecode in the artifacts, for no Python 3.13 answers here: every cold start will compile." >&2; }

.PHONY: build
build: setup  ## Build the functions for `sam deploy` into .aws-sam/build
	@$(BUILD)

.PHONY: layer
layer: setup  ## Build the kit as a layer for an app of your own: build/layer (BUNDLED=1: with OpenTelemetry's packages)
	@rm -rf build/layer
	@[ -z "$(BUNDLED)" ] || $(BIN)/python -c 'import pathlib; from lambda_latency.adopt.bundle import install_packages; install_packages(pathlib.Path("build/layer/python"))'
	@$(MAKE) --silent --no-print-directory build-Kit ARTIFACTS_DIR="$(CURDIR)/build/layer" RUNTIME_PYTHON="$(RUNTIME_PYTHON)"

.PHONY: deploy
deploy: setup  ## Deploy to AWS; says where and asks once (ARGS=--yes; ENVIRONMENT=dev or prod of samconfig.toml; DOCTOR=off)
	@there=$$($(BIN)/python -m lab destination --config-env $(ENVIRONMENT) $(ARGS)) \
		&& { $(BUILD); } \
		&& { [ "$(DOCTOR)" = off ] || $(BIN)/lambda-latency doctor; } \
		&& $(BIN)/sam deploy --config-env $(ENVIRONMENT) $$there

.PHONY: prove
prove: setup  ## Look at what was never seen on AWS, in your account, for under a dollar; asks first (EMULATOR=1; ARGS=--help)
	@$(BIN)/python -m lab prove $(if $(EMULATOR),--emulator) $(ARGS)

.PHONY: lock
lock: setup  ## Resolve the requirements anew, within the bounds of pyproject.toml
	@$(LOCK) --python-version 3.10 --upgrade --extra dev pyproject.toml --output-file requirements/dev.txt
	@$(LOCK) --python-version 3.10 --constraint requirements/dev.txt requirements/setup.in --output-file requirements/setup.txt
	@echo 'urllib3<2' | $(LOCK) --python-version 3.10 - --output-file requirements/urllib3-1.26.txt
	@$(LOCK) --python-version 3.10 requirements/ministack.in --output-file otel/lambda_latency/local/cloud/ministack.txt
	@$(LOCK) --python-version 3.11 requirements/durable.in --output-file otel/lambda_latency/local/cloud/executions.txt
	@$(LOCK) --python-version 3.13 --constraint requirements/dev.txt requirements/functions.in --output-file functions/requirements.txt
	@$(LOCK) --python-version 3.10 --upgrade requirements/same.in --output-file requirements/same.txt
	@$(LOCK) --python-version 3.10 --upgrade requirements/libraries.in --output-file requirements/libraries.txt
	@$(LOCK) --python-version 3.10 --upgrade requirements/spark.in --output-file requirements/spark.txt
	@$(LOCK) --python-version 3.13 --upgrade requirements/suites.in --output-file requirements/suites.txt
	@$(LOCK) --python-version 3.10 --upgrade requirements/release.in --output-file requirements/release.txt
	@for version in requirements/versions/[0-9]*.in; do \
		$(LOCK) --python-version 3.10 --upgrade $$version --output-file $${version%.in}.txt || exit 1; done
	@$(LOCK) --python-version 3.10 --constraint requirements/dev.txt requirements/layer.in --output-file otel/lambda_latency/adopt/packages.txt
	@$(LOCK) --python-version 3.13 requirements/archive.in --output-file otel/lambda_latency/archive/requirements.txt
	@for pins in requirements/bridge/*.in otel/lab/cost/pins/*.in; do \
		$(LOCK) --python-version 3.10 --constraint requirements/dev.txt $$pins --output-file $${pins%.in}.txt || exit 1; done
	@$(BIN)/python -m lab locks
	@if command -v npm >/dev/null; then cd requirements/npm && npm update --package-lock-only --omit-lockfile-registry-resolved \
		--silent --no-audit --no-fund; else echo "skipped: $(WHY_NODE)" >&2; fi

.PHONY: clean
clean:  ## Remove everything that was made here
	@rm -rf .venv .aws-sam build dist out .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -prune -exec rm -r {} +

# ---- Set-up: uv, which is fast, comes from a hashed lock by pip, which is there; the rest from a hashed lock by uv -----------

.PHONY: setup
setup: .venv/ready  ## Make .venv (every other target does it by itself)

# A .venv whose Python has gone, or that was moved here with its folder, is made anew: scripts in it name their folder.
.venv/ready: requirements/setup.txt requirements/dev.txt pyproject.toml $(shell \
	[ ! -e .venv/ready ] || { [ "$$(cat .venv/ready)" = "$$(cd .venv && pwd -P)" ] && $(BIN)/python -c 'import lambda_latency' 2>/dev/null; } \
	|| echo broken-venv)
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not here: install Python 3.10 or later, or say make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) -V 2>&1), and 3.10 or later is needed: say make PYTHON=python3.12, or the like" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module: on Debian and Ubuntu, apt install python3-venv; or say make PYTHON=..." >&2; exit 1; }
	@echo "Setting up .venv (once; a few hundred megabytes) ..." >&2
	@[ ! -L .venv ] || rm .venv
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/setup.txt
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@(cd .venv && pwd -P) > $@
	@echo "Ready. The command is $(BIN)/lambda-latency; targets of make find it by themselves." >&2

broken-venv:

# The urllib3 of Lambda's older Pythons, beside the locked one: connections are traced with either.
build/urllib3-1.26: requirements/urllib3-1.26.txt .venv/ready
	@$(BIN)/uv pip install --quiet --require-hashes --no-deps --python $(BIN)/python --target $@ --requirement $<
	@touch $@

# What the tests of whole apps need: the packages of Lambda's runtime, those of the tracing layer, the emulator of AWS.
build/apps/ready: otel/lambda_latency/local/app/prepare/packages.py otel/lambda_latency/local/cloud/ministack.txt .venv/ready
	@rm -rf build/apps
	@$(BIN)/python -m lab apps

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate

# ---- Called by `sam build`, once a function; runs at the root (template.yaml: WorkingDirectory) --------------------------------

.PHONY: artifact build-Kit build-CreateOrder build-GetOrder build-ListOrders build-CancelOrder
build-CreateOrder build-GetOrder build-ListOrders build-CancelOrder:
	@$(MAKE) --silent --no-print-directory artifact RUNTIME_PYTHON="$(RUNTIME_PYTHON)"

# /var/task is read-only: without bytecode every cold start compiles. Only the runtime's own version of Python makes bytecode
# that it reads, and a python3.13 on the PATH may be a stub that exits, so each candidate is asked.
PYTHONS_3_13 = $(BIN)/python python3.13 "$$HOME"/.pyenv/versions/3.13.*/bin/python3.13 \
	"$$HOME"/.local/share/uv/python/cpython-3.13*/bin/python3.13
RUNTIME_PYTHON = $(shell for python in $(PYTHONS_3_13); do \
	"$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo "$$python" && break; done)
# By hash and unchecked, for nobody can change the source there. -s and -p: the same bytes wherever it is built.
BYTECODE = [ -z "$(RUNTIME_PYTHON)" ] || "$(RUNTIME_PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(1)" -p $(2)

# Pure wheels run on either processor: `--platform manylinux...` would put one processor's libraries into an artifact for
# the other, silently. The dist-info folders stay: the instrumentation of requests reads its version there.
PACKAGES = build/packages/$(if $(RUNTIME_PYTHON),compiled,plain)
build/packages/%/ready: functions/requirements.txt
	@rm -rf $(@D)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
		--only-binary=:all: --python-version 3.13 --implementation py --abi none --platform any \
		--requirement $< --target $(@D)/python
	@rm -rf $(@D)/python/bin
	@$(call BYTECODE,$(@D)/python,/var/task) $(@D)/python
	@touch $@

artifact:
	@$(MAKE) --silent --no-print-directory $(PACKAGES)/ready
	@mkdir -p "$(ARTIFACTS_DIR)"
	@cp -R $(PACKAGES)/python/. functions "$(ARTIFACTS_DIR)"
	@rm "$(ARTIFACTS_DIR)/functions/requirements.txt"
	@find "$(ARTIFACTS_DIR)/functions" -name __pycache__ -prune -exec rm -r {} +
	@$(call BYTECODE,$(ARTIFACTS_DIR),/var/task) "$(ARTIFACTS_DIR)/functions"

# The layer is unpacked to /opt: the runtime and the X-Ray SDK's names where Python looks for them, the files that
# variables name beside them.
build-Kit:
	@mkdir -p "$(ARTIFACTS_DIR)/python/lambda_latency" "$(ARTIFACTS_DIR)/lambda-latency"
	@cp -R otel/lambda_latency/__init__.py otel/lambda_latency/redaction otel/lambda_latency/runtime otel/lambda_latency/bridge \
		"$(ARTIFACTS_DIR)/python/lambda_latency"
	@mv "$(ARTIFACTS_DIR)/python/lambda_latency/runtime/wrapper" "$(ARTIFACTS_DIR)/lambda-latency"
	@mv "$(ARTIFACTS_DIR)/python/lambda_latency/bridge/aws_xray_sdk" "$(ARTIFACTS_DIR)/python/aws_xray_sdk"
	@mkdir -p "$(ARTIFACTS_DIR)/lambda-latency/bridge"
	@cp -R "$(ARTIFACTS_DIR)/python/aws_xray_sdk" "$(ARTIFACTS_DIR)/lambda-latency/bridge"
	@cp collector.yaml "$(ARTIFACTS_DIR)/lambda-latency"
	@find "$(ARTIFACTS_DIR)" -name __pycache__ -prune -exec rm -r {} +
	@$(call BYTECODE,$(ARTIFACTS_DIR),/opt) "$(ARTIFACTS_DIR)"
