# `make` alone lists what there is. Nobody types an install command: each target sets up what it needs in .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
SEEDS ?= 5
FIRST ?= 1
INVOCATIONS ?= 10000
ROUNDS ?= 20
REQUESTS ?= 1000
ENVIRONMENT ?= default
export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= us-east-1

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

.PHONY: test
test: setup build/urllib3-1.26 build/apps/ready  ## Run the tests; those of the sandbox and the runtime on every Python that answers
	@$(BIN)/pytest
	@$(BIN)/python -m lab.pythons

.PHONY: check
check: setup  ## Lint, types, import contracts, template, spelling
	@$(BIN)/ruff format --check --quiet || { echo "not formatted as ruff does it: run make format" >&2; exit 1; }
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/sam validate --lint
	@$(BIN)/lambda-latency doctor --strict
	@$(BIN)/cfn-lint --include-checks I --non-zero-exit-code informational --template template.yaml observability.yaml explain.yaml otel/lambda_latency/archive/archive.yaml
	@$(BIN)/codespell
	@$(MAKE) --silent --no-print-directory check-page

# The lock holds no address, so npm looks in the registry that is set up here.
WHY_NODE := the scripts of the report's page are checked with Node.js 20 or later (https://nodejs.org)
SCRIPTS := otel/lambda_latency/page/source/script

NPM := $(shell command -v npm)

.PHONY: check-page
check-page: $(if $(NPM),build/npm/ready)  ## Types and lint of the scripts of the report's page (needs Node.js; in CI it has to be there)
ifdef NPM
	@build/npm/node_modules/.bin/tsc --project requirements/npm
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

.PHONY: bench-local
bench-local: setup  ## Measure what the laptop's gateway and sandbox add to a request
	@$(BIN)/python -m lab.local_cost

.PHONY: collector
collector: build/collector/otelcol  ## Build the collector for demo and tests from Go modules (2 minutes, once)

BUILDER := go.opentelemetry.io/collector/cmd/builder@v0.116.0
# Neither the state of this repository nor a workspace around it is part of what is built.
GO := GOFLAGS=-buildvcs=false GOWORK=off
WHY_GO := the collector is built from Go modules by Go 1.22 or later (https://go.dev/dl). Without it the demo sends \
	spans straight to the laptop's X-Ray, and tests that need a collector are skipped.

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

.PHONY: bench
bench: setup  ## Measure what tracing costs: the kit beside the X-Ray SDK and five others (30 minutes; out/bench.json)
	@$(BIN)/python -m lab.cost --rounds $(ROUNDS) $(if $(VARIANTS),--variants "$(VARIANTS)")

.PHONY: bench-report
bench-report: setup  ## Measure how fast the report is on files of every kind (10 minutes; out/bench-report.json)
	@$(BIN)/python -m lab.report_speed $(if $(ROWS),--rows $(foreach row,$(ROWS),'$(row)'))

.PHONY: bench-archive
bench-archive: setup  ## Measure what an archive of a million spans costs: size, in, out, and a report from it (5 minutes)
	@$(BIN)/python -m lab.archive_speed

.PHONY: bench-testing
bench-testing: setup  ## Measure how long it takes to compare span trees of 1,000 spans
	@$(BIN)/python -m lab.tree_speed

.PHONY: alarm-pictures
alarm-pictures: setup  ## Draw the messages of an alarm for the docs: mail, Slack, terminal
	@$(BIN)/python -m lab.pictures.alarm

.PHONY: bench-alarm
bench-alarm: setup  ## Measure the function that explains alarms: cold start, processor time, memory (1 minute; docs/alarm.json)
	@$(BIN)/python -m lab.alarm_cost

.PHONY: bench-page
bench-page: setup  ## Measure how fast the report's page is with 10,000 requests, in headless Chromium
	@$(BIN)/python -m lab.page_speed

.PHONY: bench-response
bench-response: setup  ## Measure what a client waits for with the kit, bare, and with the X-Ray SDK, for four collectors
	@$(BIN)/python -m lab.response_time

.PHONY: bench-deadline
bench-deadline: setup  ## Measure what the watch over the deadline costs a request; 100,000 calls without a false mark
	@$(BIN)/python -m lab.deadline_cost

.PHONY: faults
faults: setup  ## 10,000 invocations over all that may go wrong: is every span accounted for? (EXPORT=otlp: to X-Ray itself; under 20 minutes)
	@$(BIN)/python -m lab.faults --invocations $(INVOCATIONS) --export $(or $(EXPORT),collector)

.PHONY: same
same: setup  ## Run a corpus of handlers bare and with the kit on every Python: is anything different? (10 minutes a Python)
	@$(BIN)/python -m lab.same $(if $(SAMPLE),--sample $(SAMPLE) --seed 20) $(if $(PYTHONS),--pythons $(PYTHONS)) $(if $(ONLY),--only "$(ONLY)")

.PHONY: bridge
bridge: setup  ## Run a corpus of uses of the X-Ray SDK and of Powertools' Tracer with it and with the bridge: is anything different?
	@$(BIN)/python -m tests.bridge $(if $(SAMPLE),--sample $(SAMPLE) --seed 25)

.PHONY: versions
versions: setup  ## The same with the versions of OpenTelemetry of every ADOT layer and of three runtime clients: a table
	@$(BIN)/python -m lab.versions $(if $(VERSIONS),--versions "$(VERSIONS)") $(if $(WHOLE),--whole) \
		$(if $(NO_TESTS),--no-tests)

.PHONY: libraries
libraries: setup  ## Call each library that is traced, against a server: spans, names, errors, the same answers (4 minutes)
	@$(BIN)/python -m lab.libraries $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(ONLY),--only "$(ONLY)") $(if $(WRITE),--write)

.PHONY: hangs
hangs: setup  ## Let calls of nine libraries hang, in each phase of a connection: does the timeout name it? (2 minutes)
	@$(BIN)/python -m lab.hangs $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(ONLY),--only "$(ONLY)")

.PHONY: slow
slow: setup  ## Plant a slow MariaDB, a slow Redis, a pool without a connection left: does the verdict name each? (3 minutes)
	@$(BIN)/python -m lab.slow $(if $(CAUSE),--cause $(CAUSE))

.PHONY: spark
spark: setup  ## Accounts of an archive on Spark in local mode: are they the report's? (1 minute; SAMPLE=requests; SPANS='1000000 ...' measures)
	@$(BIN)/python -m lab.spark $(if $(SAMPLE),--requests $(SAMPLE)) $(if $(SPANS),--spans $(SPANS))

.PHONY: week
week: setup  ## A week of 20,000 traces into an archive, killed five times and resumed: is it the same archive? (5 minutes; SAMPLE=2000)
	@$(BIN)/python -m lab.week $(if $(SAMPLE),--traces $(SAMPLE))

.PHONY: rie
rie: setup  ## The kit under AWS's Runtime Interface Emulator, built from Go modules: protocol, order, no span lost (2 minutes)
	@if $(GO_FOR_RIE); then $(BUILD_RIE) && $(BIN)/python -m lab.rie; else \
		echo "skipped: $(WHY_RIE)" >&2; [ -z "$$CI" ]; fi

RIE := github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d
WHY_RIE := AWS's Runtime Interface Emulator is built from Go modules by Go 1.26.6 or later (https://go.dev/dl).
GO_FOR_RIE = command -v go >/dev/null && printf 'go1.26.6\n%s\n' "$$(go env GOVERSION)" | sort --check=quiet --version-sort

BUILD_RIE = { [ -x build/rie/aws-lambda-rie ] || { echo "Building AWS's Runtime Interface Emulator, once ..." >&2; \
	GOBIN="$(CURDIR)/build/rie" $(GO) go install $(RIE); }; }

.PHONY: promises
promises: setup  ## Take the code of each promise out of the runtime in turn: does its test fail? (5 minutes)
	@$(BIN)/python -m lab.promises

.PHONY: timeouts
timeouts: setup  ## Time out in eight ways, each 100 times: does the trace name the call and the line? (15 minutes)
	@$(BIN)/python -m lab.timeouts

.PHONY: messages
messages: setup build/apps/ready  ## 1,000 requests through an API, a queue and a bus on the laptop: is each handled once? (2 minutes)
	@$(BIN)/python -m lab.messages --requests $(REQUESTS)

.PHONY: planted
planted: setup  ## Plant one cause of slow requests at a time: does the verdict name it? (15 minutes)
	@$(BIN)/python -m lab.planted --seeds $(SEEDS)

.PHONY: explained
explained: setup  ## Plant one cause at a time and let an alarm ring: does its message name the cause? (15 minutes)
	@$(BIN)/python -m lab.explained --seeds $(SEEDS) $(if $(CAUSE),--cause "$(CAUSE)")

.PHONY: changed
changed: setup  ## Run the demo's plan twice, and with 100 ms more at the provider: what does --against say?
	@$(BIN)/python -m lab.changed --seeds $(SEEDS) --first $(FIRST)

.PHONY: mutation
mutation: setup  ## Break 20,000 documents of all formats at random: does any end the report, or hide a span? (4 minutes)
	@$(BIN)/python -m lab.mutation

.PHONY: services
services: setup  ## Judge 10,000 random requests of several services whose clocks are wrong (2 minutes)
	@$(BIN)/python -m lab.services

.PHONY: architecture
architecture: setup  ## Draw docs/explanation/architecture.svg anew from the imports between the rooms
	@$(BIN)/python -m lab.pictures.architecture

.PHONY: what-if
what-if: setup  ## Hold what --what-if promises against 300 planted cases, or SAMPLE of them (1 minute)
	@WHAT_IF_CASES=$(or $(SAMPLE),300) $(BIN)/python -m pytest -q tests/latency/test_what_if.py

.PHONY: differs
differs: setup  ## Plant a difference in 40 reports and none in 40: does the page name it, and nothing else? (2 minutes; SAMPLE=4)
	@DIFFERS_CASES=$(or $(SAMPLE),40) $(BIN)/python -m pytest -q tests/page/test_differs.py

.PHONY: picture
picture: setup  ## Take the README's picture of the report's page anew (1 minute, needs Chromium)
	@$(BIN)/python -m lab.pictures.page

.PHONY: wheel
wheel: setup  ## Build the package into dist/: a wheel and a source distribution
	@rm -rf dist
	@$(BIN)/python -m hatchling build

.PHONY: build
build: setup  ## Build the functions for `sam deploy` into .aws-sam/build
	@$(BIN)/sam build
	@[ -n "$(RUNTIME_PYTHON)" ] || echo "No bytecode in the artifacts, for no Python 3.13 answers here: every cold start will compile." >&2

.PHONY: layer
layer: setup  ## Build the kit as a layer for an app of your own: build/layer (BUNDLED=1: with OpenTelemetry's packages)
	@rm -rf build/layer
	@[ -z "$(BUNDLED)" ] || $(BIN)/python -c 'import pathlib; from lambda_latency.adopt.bundle import install_packages; install_packages(pathlib.Path("build/layer/python"))'
	@$(MAKE) --silent --no-print-directory build-Kit ARTIFACTS_DIR="$(CURDIR)/build/layer" RUNTIME_PYTHON="$(RUNTIME_PYTHON)"

.PHONY: deploy
deploy: build  ## Deploy to AWS without a question; ENVIRONMENT=dev or prod of samconfig.toml; DOCTOR=off skips the check
	@[ "$(DOCTOR)" = off ] || $(BIN)/lambda-latency doctor
	@$(BIN)/sam deploy --config-env $(ENVIRONMENT)

.PHONY: deploy-local
deploy-local: setup build/ministack/ready  ## Build, deploy to an emulator of AWS, use it with tracing on, delete it; two adopted apps, too
	@$(BIN)/python -m lab.deploy
	@$(BIN)/python -m lab.deploy.adopted

.PHONY: prove
prove: setup $(if $(EMULATOR),build/ministack/ready)  ## Look at what was never seen on AWS, in your account, for under a dollar; asks first (EMULATOR=1)
	@$(BIN)/python -m lab.prove $(if $(EMULATOR),--emulator)

build/ministack/ready: otel/lambda_latency/local/cloud/ministack.txt | setup
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/ministack
	@VIRTUAL_ENV="$(CURDIR)/build/ministack" $(BIN)/uv pip sync --quiet --require-hashes $<
	@touch $@

.PHONY: lock
lock: setup  ## Resolve the requirements anew, within the bounds of pyproject.toml
	@$(LOCK) --python-version 3.10 --upgrade --extra dev pyproject.toml --output-file requirements/dev.txt
	@$(LOCK) --python-version 3.10 --constraint requirements/dev.txt requirements/setup.in --output-file requirements/setup.txt
	@echo 'urllib3<2' | $(LOCK) --python-version 3.10 - --output-file requirements/urllib3-1.26.txt
	@$(LOCK) --python-version 3.10 requirements/ministack.in --output-file otel/lambda_latency/local/cloud/ministack.txt
	@$(LOCK) --python-version 3.13 --constraint requirements/dev.txt requirements/functions.in --output-file requirements/functions.txt
	@$(LOCK) --python-version 3.10 --upgrade requirements/same.in --output-file requirements/same.txt
	@$(LOCK) --python-version 3.10 --upgrade requirements/libraries.in --output-file requirements/libraries.txt
	@$(LOCK) --python-version 3.10 --upgrade requirements/spark.in --output-file requirements/spark.txt
	@for version in requirements/versions/[0-9]*.in; do \
		$(LOCK) --python-version 3.10 --upgrade $$version --output-file $${version%.in}.txt || exit 1; done
	@$(LOCK) --python-version 3.10 --constraint requirements/dev.txt requirements/layer.in --output-file otel/lambda_latency/adopt/packages.txt
	@$(LOCK) --python-version 3.13 requirements/archive.in --output-file otel/lambda_latency/archive/requirements.txt
	@for pins in requirements/bridge/*.in lab/cost/pins/*.in; do \
		$(LOCK) --python-version 3.10 --constraint requirements/dev.txt $$pins --output-file $${pins%.in}.txt || exit 1; done
	@$(BIN)/python -m lab.locks
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
	@$(BIN)/python -m lab.apps

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate

# ---- Called by `sam build`, once a function; runs at the root (template.yaml: WorkingDirectory) --------------------------------

.PHONY: artifact build-Kit build-Explain build-CreateOrder build-GetOrder build-ListOrders build-CancelOrder
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
build/packages/%/ready: requirements/functions.txt
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
	@find "$(ARTIFACTS_DIR)/functions" -name __pycache__ -prune -exec rm -r {} +
	@$(call BYTECODE,$(ARTIFACTS_DIR),/var/task) "$(ARTIFACTS_DIR)/functions"

# The layer is unpacked to /opt: the runtime and the X-Ray SDK's names where Python looks for them, the files that
# variables name beside them.
build-Kit:
	@mkdir -p "$(ARTIFACTS_DIR)/python/lambda_latency" "$(ARTIFACTS_DIR)/lambda-latency"
	@cp -R otel/lambda_latency/__init__.py otel/lambda_latency/runtime otel/lambda_latency/bridge \
		"$(ARTIFACTS_DIR)/python/lambda_latency"
	@mv "$(ARTIFACTS_DIR)/python/lambda_latency/runtime/wrapper" "$(ARTIFACTS_DIR)/lambda-latency"
	@mv "$(ARTIFACTS_DIR)/python/lambda_latency/bridge/names" "$(ARTIFACTS_DIR)/python/aws_xray_sdk"
	@mkdir -p "$(ARTIFACTS_DIR)/lambda-latency/bridge"
	@cp -R "$(ARTIFACTS_DIR)/python/aws_xray_sdk" "$(ARTIFACTS_DIR)/lambda-latency/bridge"
	@cp collector.yaml "$(ARTIFACTS_DIR)/lambda-latency"
	@find "$(ARTIFACTS_DIR)" -name __pycache__ -prune -exec rm -r {} +
	@$(call BYTECODE,$(ARTIFACTS_DIR),/opt) "$(ARTIFACTS_DIR)"

# The function of explain.yaml: some of the kit, and its packages for either processor.
build-Explain:
	@$(BIN)/python -c 'import pathlib, sys; from lambda_latency.alarm import write_function; write_function(pathlib.Path(sys.argv[1]))' \
		"$(ARTIFACTS_DIR)"
	@$(call BYTECODE,$(ARTIFACTS_DIR),/var/task) "$(ARTIFACTS_DIR)"
