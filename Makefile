# Every target sets itself up, and running one twice is as good as once.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
# Most acceptance tests wait, so two processes take half the time; a third takes CPU from those that judge throughput.
WORKERS ?= --numprocesses 2 --dist loadfile
BIN := .venv/bin
VENDOR := runtime/headgate/console/vendor
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

# jsii and the CDK command line want Node 22 or newer; where the machine has none, the one from PyPI serves.
NODE_MAJOR := $(shell PATH="$$(echo "$$PATH" | tr ':' '\n' | grep -v '/\.venv/bin$$' | paste -sd:)" node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
NODE_REQUIREMENTS := $(shell [ "$(NODE_MAJOR)" -ge 22 ] || echo requirements/node.txt)

##@ Use
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

setup: .venv/.ready node_modules/.ready $(VENDOR)/.ready ## create .venv/ with everything, and .venv/bin/headgate

demo: setup .tools/ministack/.ready ## from nothing to your own events, read back out of a stream, on an embedded AWS
	@$(BIN)/python -m demo

# A job of its own: Ctrl-C is the console's alone, and make does not call a failure what its user ended. Tied to its
# shell, because make ends that alone when it is told to end.
console: setup .tools/ministack/.ready ## the console in your browser, on an embedded AWS with live traffic
	@set -m; $(BIN)/python demo/tied.py $$$$ $(BIN)/python -m demo console; exit $$?

synth: setup ## cdk synth for every environment
	@for file in environments/*.toml; do name=$$(basename $$file .toml); \
		echo "cdk synth -c env=$$name"; npx --no-install cdk synth --quiet -c env=$$name -o cdk.out/$$name; done

##@ Develop
test: lint setup .tools/ministack/.ready .tools/checkov/.ready .tools/awscli/.ready .tools/base-image/.ready ## lint, types and every test; names what it skipped, and why
	@$(BIN)/pytest $(WORKERS) $(PYTEST_ARGS)

lint: setup ## ruff and mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

sdks: setup ## send with every Segment SDK, and write what arrived into docs/sdks.md
	@HEADGATE_WRITE_DOCS=1 $(BIN)/pytest -m 'not slow' tests/acceptance/sdks $(PYTEST_ARGS)

bench: setup .tools/peers/.ready bench/peers/node_modules/.ready ## measure beside the peers, and write docs/benchmarks.md
	@$(BIN)/python -m bench $(BENCH_ARGS)

soak: setup .tools/ministack/.ready ## the long proofs, whole
	@HEADGATE_SOAK=1 $(BIN)/pytest -m slow $(PYTEST_ARGS)

diagram: setup .tools/diagram/.ready docs/diagram/node_modules/.ready ## draw docs/deploy.svg: what the environment prod deploys
	@command -v dot >/dev/null || { echo "make diagram needs Graphviz; on Debian: apt-get install graphviz" >&2; exit 1; }
	@npx --no-install cdk synth --quiet --no-validation -c env=prod -o cdk.out/diagram
	@.tools/diagram/bin/python docs/diagram/draw.py cdk.out/diagram docs/deploy.svg

lock: .tools/uv/.ready ## renew every locked requirements file
	@.tools/uv/bin/python requirements/lock.py

clean: ## remove all that make made
	rm -rf .venv .tools node_modules bench/peers/node_modules docs/diagram/node_modules $(VENDOR) cdk.out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup demo console synth test lint sdks bench soak diagram lock clean

# uv, from a hash-pinned file by pip itself, installs everything else.
.tools/uv/.ready: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Headgate needs Python 3.11 or newer as $(PYTHON); name another with: make PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up uv"
	@$(PYTHON) -m venv .tools/uv || { echo "This Python cannot make virtual environments; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@.tools/uv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

UV := .tools/uv/bin/uv

.venv/.ready: requirements/dev.txt $(NODE_REQUIREMENTS) pyproject.toml .tools/uv/.ready
	@echo "setting up .venv"
	@[ -x $(BIN)/python ] || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt $(NODE_REQUIREMENTS)
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.tools/%/.ready: requirements/%.txt .tools/uv/.ready
	@echo "setting up $*"
	@[ -x .tools/$*/bin/python ] || $(UV) venv --quiet --python $(PYTHON) .tools/$*
	@$(UV) pip sync --quiet --python .tools/$*/bin/python --require-hashes $<
	@touch $@

.tools/base-image/.ready: runtime/Dockerfile | .venv/.ready
	@$(BIN)/python -m tests.acceptance.base_image

node_modules/.ready: package-lock.json .venv/.ready
	@echo "setting up the CDK command line and Segment's SDKs"
	@npm ci --silent --no-progress
	@touch $@

# What the console's pages run in the browser: npm checks it against package-lock.json, and the wheel takes it along.
$(VENDOR)/.ready: node_modules/.ready
	@mkdir -p $(VENDOR)
	@cp node_modules/htmx.org/dist/htmx.min.js node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css $(VENDOR)/
	@cp node_modules/htmx-ext-sse/dist/sse.min.js $(VENDOR)/htmx-sse.js
	@for name in htmx.org htmx-ext-sse uplot; do cp node_modules/$$name/LICENSE $(VENDOR)/LICENSE.$$name; done
	@touch $@

bench/peers/node_modules/.ready: bench/peers/package-lock.json .venv/.ready
	@echo "setting up the peers of the measurements"
	@npm ci --prefix bench/peers --silent --no-progress
	@touch $@

docs/diagram/node_modules/.ready: docs/diagram/package-lock.json .venv/.ready
	@echo "setting up what draws docs/deploy.svg"
	@npm ci --prefix docs/diagram --silent --no-progress
	@touch $@
