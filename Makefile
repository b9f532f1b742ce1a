# Needs Python 3.11 or later with pip and venv, and make. `make dev` and `make test` install what they need.

ARGS ?=
# That of .venv, else the first that is new enough and can make one; `make PYTHON=… dev` takes another.
PYTHON ?= $(shell for python in .venv/bin/python python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& { echo $$python; exit; }; done; echo python3)
LOCK = $(shell command -v uv || echo .venv/bin/uv) pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --no-header $(if $(UPGRADE),--upgrade)

# Where it is set, every start would compile every module again: twice the time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help dev test lint fmt schema bench bench-flows bench-import soak fuzz lock clean

help:
	@echo 'make dev    a shop with everything it needs on http://localhost:8000   ARGS="--port 8001 --data .other"'
	@echo 'make test   the whole test suite                                       ARGS="-k cart -x"'
	@echo 'make lint   style, types, import directions, unused dependencies'
	@echo 'make fmt    put the style right'
	@echo 'make schema write schema/*.graphql anew from the code'
	@echo 'make bench  the API beside the same answers written by hand            ARGS="--only checkout"'
	@echo 'make bench-flows  due steps, latency, sleeping runs of flows           ARGS="--only steps"'
	@echo 'make bench-import  a catalogue of 50,000 variants in, again, out        ARGS="--variants 5000"'
	@echo 'make soak   a steady load, and what the shop takes minute by minute     MINUTES=30 RATE=20'
	@echo 'make fuzz   requests made out of the schema, for as long as there is time MINUTES=30 SEED=7'
	@echo 'make lock   write requirements/*.txt anew from pyproject.toml          UPGRADE=1 takes newer versions'
	@echo 'make clean  remove .venv, the development data and every cache'

dev:
	@$(PYTHON) requirements/install.py dev
	@exec .venv/bin/tradewind dev $(ARGS)

# All of it side by side, on servers of its own for each; what ARGS chooses is over before so many have started.
test:
	@$(PYTHON) requirements/install.py test
	@exec .venv/bin/python -m pytest $(or $(ARGS),-n auto)

# Every tool has its say, also after one that complained.
lint:
	@$(PYTHON) requirements/install.py test
	@failed=; for tool in 'ruff check .' 'ruff format --check .' mypy lint-imports 'deptry .'; do \
		echo "$$tool"; .venv/bin/$$tool || failed="$$failed, $$tool"; \
	done; if [ -n "$$failed" ]; then echo "Not right yet: $${failed#, }"; exit 1; fi

fmt:
	@$(PYTHON) requirements/install.py test
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

schema:
	@$(PYTHON) requirements/install.py dev
	.venv/bin/tradewind schema --output schema/schema.graphql
	.venv/bin/tradewind schema --development --output schema/schema.development.graphql

bench:
	@$(PYTHON) requirements/install.py dev
	@exec .venv/bin/python -m benchmarks.run $(ARGS)

bench-flows:
	@$(PYTHON) requirements/install.py dev
	@exec .venv/bin/python -m benchmarks.flows $(ARGS)

bench-import:
	@$(PYTHON) requirements/install.py dev
	@exec .venv/bin/python -m benchmarks.catalogue $(ARGS)

soak:
	@$(PYTHON) requirements/install.py dev
	@exec .venv/bin/python -m benchmarks.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE)) $(ARGS)

fuzz:
	@$(PYTHON) requirements/install.py test
	@TRADEWIND_FUZZ_MINUTES=$(or $(MINUTES),30) TRADEWIND_FUZZ_SEED=$(or $(SEED),0) \
		.venv/bin/python -m pytest -q -s tests/security/test_fuzzing.py -k as_long $(ARGS)

# The largest first: the others take the same versions from it.
lock:
	@$(PYTHON) requirements/install.py dev
	$(LOCK) --extra dev --extra rabbitmq --extra tracing --extra test -o requirements/test.txt pyproject.toml
	$(LOCK) --extra dev -c requirements/test.txt -o requirements/dev.txt pyproject.toml
	$(LOCK) --extra rabbitmq --extra tracing -c requirements/test.txt -o requirements/production.txt pyproject.toml
	echo uv | $(LOCK) -o requirements/uv.txt -

clean:
	rm -rf .venv .tradewind .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
