# Two commands: `make demo` opens the console on a prepared demo workspace, `make test` runs every check.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

# What `make performance` measures at most, and where it writes to. It takes an hour on two cores that do little else.
POINTS ?= 10000 100000 1000000
REPORT := docs/performance.md

.PHONY: demo test test-cuda test-engine lint types contracts tests test-server performance clean

demo: $(READY)
	$(BIN)/embedding-console --workspace workspace demo
	$(BIN)/embedding-console --workspace workspace serve

# Two at a time, so that no core waits for the type checker.
test: $(READY)
	$(MAKE) -j2 lint types contracts tests

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

# Side by side, one on each core; then by themselves those that say how long something may take.
tests: $(READY)
	$(BIN)/pytest -m "not alone" --numprocesses logical --maxprocesses 4 --dist worksteal
	$(BIN)/pytest -m alone

# The store contract against a real server: QDRANT_URL=http://host:6333 [QDRANT_API_KEY=…] make test-server
test-server: $(READY)
	@test -n "$$QDRANT_URL" || { echo "Set QDRANT_URL (and QDRANT_API_KEY) to the server to test against."; exit 2; }
	$(BIN)/pytest tests/contract/vectorstore -m server

# What is promised of graphics cards, on this machine's: make test-cuda
test-cuda: $(READY)
	$(BIN)/pytest tests/contract/test_cuda.py

# The lives of runs once more, with models and pipelines in a process of their own.
test-engine: $(READY)
	TEST_ENGINE=process $(BIN)/pytest --timeout 1200 --numprocesses logical --maxprocesses 4 --dist worksteal tests/lifecycle

# Every figure of docs/performance.md anew, on this machine; less of it: make performance POINTS="10000 100000"
performance: $(READY)
	$(BIN)/python -m benchmarks.throughput --write $(REPORT)
	$(BIN)/python -m benchmarks.queries --write $(REPORT)
	$(BIN)/python -m benchmarks.two_people --write $(REPORT)
	$(BIN)/python -m benchmarks.memory --rows 1000000 --write $(REPORT)
	$(BIN)/python -m benchmarks.catalogs --write $(REPORT)
	$(BIN)/python -m benchmarks.stores --points $(POINTS) --write $(REPORT)
	$(BIN)/python -m benchmarks.agreement --write $(REPORT)
	$(BIN)/python -m benchmarks.console --write $(REPORT)
	$(BIN)/python -m benchmarks.console --points $(POINTS) --write $(REPORT)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) workspace
