# Everything a person does here. `make help` lists it.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
LOCKING := $(VENV)-lock
COMPILE := $(LOCKING)/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup spark demo test cover check format bench docs lock clean

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv from the lock (needs python3 >= 3.11; uses uv when it is there)

spark: $(STAMP) ## Add what training on Spark needs (800 MB; Java 17 as well)
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install --quiet --python $(RUN)/python --no-deps --require-hashes -r requirements-spark.lock; \
	else \
		$(RUN)/python -m pip install -qq --no-deps --require-hashes -r requirements-spark.lock; \
	fi

demo: $(STAMP) ## Show it: a made-up shop, consents, suggestions with reasons, withdrawal, erasure
	@$(RUN)/assent demo $(ARGS)

# One BLAS thread for each of the test processes: more only fight over the same cores. Measuring takes all of them.
test cover: export OPENBLAS_NUM_THREADS ?= 1

test: $(STAMP) ## Run every test, on SQLite and on PostgreSQL
	@$(RUN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

cover: $(STAMP) ## Run every test with branch coverage; five rooms must be covered whole
	@$(RUN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term $(ARGS)
	@$(RUN)/coverage report --fail-under=100 \
		--include="$$(printf 'src/assent/%s/*,' consent vault sums models rights | sed 's/,$$//')"

check: $(STAMP) ## Check style, types and who imports whom
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports

format: $(STAMP) ## Put the code in its common form
	@$(RUN)/ruff check --fix-only .
	@$(RUN)/ruff format .

bench: $(STAMP) ## Measure: one table, each figure beside its limit or peer (ARGS="recommender" picks modules)
	@$(RUN)/python -m bench $(ARGS)

docs: $(STAMP) ## Write the pages that are made from the code
	@$(RUN)/python -m docs.build

# The second lock holds what the extra `spark` needs beside the first one: resolved under the first one's versions, then
# without what stands in it.
lock: ## Resolve requirements.lock and requirements-spark.lock anew from pyproject.toml
	@$(PYTHON) -m venv --clear $(LOCKING)
	@$(LOCKING)/bin/python -m pip install --quiet 'pip-tools>=7.5,<8'
	@$(COMPILE) --upgrade --extra dev --extra postgres --output-file $(LOCKING)/lock pyproject.toml
	@$(COMPILE) --upgrade --extra spark --constraint $(LOCKING)/lock --output-file $(LOCKING)/whole pyproject.toml
	@awk -v first=$(LOCKING)/lock 'BEGIN { while ((getline < first) > 0) if (/^[a-z0-9]/) held[$$1] = 1 } \
		/^[a-z0-9]/ { wanted = !($$1 in held) } wanted && !/^#/' $(LOCKING)/whole > $(LOCKING)/lock-spark
	@for lock in lock lock-spark; do \
		name=requirements$${lock#lock}.lock; \
		{ sed -n '/^#/p;/^#/!q' $$name; cat $(LOCKING)/$$lock; } > $(LOCKING)/new && mv $(LOCKING)/new $$name || exit 1; done
	@rm -rf $(LOCKING)

clean: ## Remove every environment and every cache
	@rm -rf $(VENV) .venv-* build dist .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock first, whole and hashed: it names everything, so nothing is left to resolve (a resolver may ask for a newer
# release of what it meets with an extra). Then this package, editable, with the build backend that the lock brought.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "assent needs Python 3.11 or later: make setup PYTHON=python3.12" >&2; exit 1; }
	@if command -v uv >/dev/null 2>&1; then \
		{ test -x $(RUN)/python || uv venv --quiet --python "$(PYTHON)" $(VENV); } \
		&& uv pip install --quiet --python $(RUN)/python --no-deps --require-hashes -r requirements.lock \
		&& uv pip install --quiet --python $(RUN)/python --no-deps --no-build-isolation -e .; \
	else \
		{ test -x $(RUN)/python || $(PYTHON) -m venv $(VENV) \
			|| { echo "python3 has no venv here: install it (Debian: apt install python3-venv)" >&2; exit 1; }; } \
		&& echo "Installing into $(VENV) (two or three minutes the first time)" \
		&& $(RUN)/python -m pip install -qq --no-deps --require-hashes -r requirements.lock \
		&& $(RUN)/python -m pip install -qq --no-deps --no-build-isolation -e .; \
	fi
	@touch $(STAMP)
