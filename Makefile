# Every target works on a fresh clone; `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools
# The pinned engines of .tools, unless the caller names others.
export HELM ?= $(CURDIR)/$(TOOLS)/helm-4.1.4/helm
export KUSTOMIZE ?= $(CURDIR)/$(TOOLS)/kustomize-5.7.1/kubectl

# Both versions that the judge has to agree with itself on.
export KUSTOMIZE_ALL ?= $(CURDIR)/$(TOOLS)/kustomize-5.7.1/kubectl:$(CURDIR)/$(TOOLS)/kustomize-5.5.0/kubectl

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.runtime: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

$(TOOLS)/.engines: scripts/get_tools.py $(VENV)/.runtime
	$(BIN)/python scripts/get_tools.py
	@touch $@

$(TOOLS)/.all: scripts/get_tools.py $(VENV)/.runtime
	$(BIN)/python scripts/get_tools.py --all
	@touch $@

$(TOOLS)/.openapi: scripts/fetch_openapi.py $(VENV)/.runtime
	$(BIN)/python scripts/fetch_openapi.py
	@touch $@

$(TOOLS)/.browser: scripts/get_browser.sh
	bash scripts/get_browser.sh
	@touch $@

demo: $(VENV)/.runtime $(TOOLS)/.engines ## run the whole job on embedded example upstreams, offline
	$(BIN)/python -m upstreamsync demo

test: $(VENV)/.dev $(TOOLS)/.all $(TOOLS)/.openapi $(TOOLS)/.browser ## run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: $(VENV)/.dev $(TOOLS)/.engines $(TOOLS)/.openapi ## run the tests of the inner loop
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow and not world'

floors: $(TOOLS)/.engines $(TOOLS)/.openapi ## the oldest dependencies that pyproject.toml admits: fast tests and the demo
	rm -rf build/floors && $(PYTHON) -m venv build/floors/venv && $(PYTHON) -m venv build/floors/uv
	build/floors/uv/bin/python -m pip install --quiet uv
	build/floors/uv/bin/uv pip install --quiet --python build/floors/venv/bin/python \
	  --resolution lowest-direct --editable . --group test
	build/floors/venv/bin/python -m pytest -n 2 --dist worksteal -m 'not slow and not world'
	build/floors/venv/bin/python -m upstreamsync demo

lint: $(VENV)/.dev ## lint, formatting, types, layers, workflows
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/sizes.py
	$(BIN)/zizmor --offline --quiet action.yml .github/workflows $(wildcard examples/workflows/*.yml)

format: $(VENV)/.dev ## format the code
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

readme: $(VENV)/.runtime $(TOOLS)/.engines ## run every command of the README and of the tutorial
	$(BIN)/python scripts/readme.py

docs: $(VENV)/.runtime ## write the generated pages of docs/
	$(BIN)/python scripts/generate_docs.py

$(VENV)/.docs: pyproject.toml $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --group docs
	@touch $@

site: $(VENV)/.docs ## the documentation as a site in build/site; no dead link, no dead anchor
	$(BIN)/python scripts/site.py
	$(BIN)/zensical build --clean --strict --config-file mkdocs.yml

audit: $(VENV)/.dev ## known vulnerabilities in the dependencies
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/pip-audit --skip-editable

sbom: $(VENV)/.dev ## a bill of materials of what is released, in dist/
	rm -rf build/sbom && $(PYTHON) -m venv build/sbom/release && $(PYTHON) -m venv build/sbom/tool
	build/sbom/release/bin/python -m pip install --quiet .
	build/sbom/release/bin/python -m pip uninstall --quiet --yes pip setuptools
	build/sbom/tool/bin/python -m pip install --quiet cyclonedx-bom
	mkdir -p dist
	build/sbom/tool/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --of JSON -o dist/upstreamsync.cdx.json build/sbom/release/bin/python

faults: $(VENV)/.dev $(TOOLS)/.engines ## run the fault matrix and print its table
	$(BIN)/python scripts/fault_matrix.py

kills: $(VENV)/.dev $(TOOLS)/.engines ## kill update and pr at 200 random moments each, and signal them
	$(BIN)/python tests/trust/kills.py 200

mutation: $(VENV)/.dev $(TOOLS)/.all ## break each safeguard on purpose and see that a test notices
	$(BIN)/python scripts/mutation.py --jobs 2

FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.dev $(TOOLS)/.all ## fuzz each parser for a minute, and all properties, with new seeds (FUZZ_SEED repeats one)
	@seed=$${FUZZ_SEED:-$$(date +%s)}; echo "FUZZ_SEED=$$seed"; \
	FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$$seed $(BIN)/python -m pytest -n 2 --dist worksteal -m 'hypothesis or fuzz' \
	  --hypothesis-seed=$$seed --timeout=$$((300 + 2 * $(FUZZ_SECONDS)))

# As people install it: httpx loads what it finds beside it, and the libraries of the tests are many.
$(TOOLS)/bench/.ready: pyproject.toml
	test -x $(TOOLS)/bench/bin/python || $(PYTHON) -m venv $(TOOLS)/bench
	$(TOOLS)/bench/bin/python -m pip install --quiet --editable .
	@touch $@

BENCH ?= --quick
bench: $(TOOLS)/bench/.ready $(TOOLS)/.engines ## measure, quickly; BENCH=--peers measures all
	$(TOOLS)/bench/bin/python benchmarks/run.py $(BENCH)

screenshots: $(VENV)/.dev $(TOOLS)/.engines $(TOOLS)/.browser ## pictures of the page and of pull requests, in build/screenshots
	PYTHONPATH=tests $(BIN)/python -m report.screenshots

clean: ## remove what was installed or made here
	rm -rf $(VENV) $(TOOLS) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help readme demo test test-fast floors lint format docs site audit sbom faults kills mutation fuzz bench \
  screenshots clean
