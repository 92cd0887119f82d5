# `make demo` starts the application, `make test` proves it; `make quick` is the daily loop.

VENV ?= .venv
PORT ?= 8501
PYTHON ?= python3
BIN := $(VENV)/bin
# One thread per BLAS call: two spinning on two busy cores are slower than one.
TEST_ENV := OMP_NUM_THREADS=1

# Two processes share two cores well; on more, more would fight over Chromium.
WORKERS ?= 2

.PHONY: demo test quick lint types browser

demo: $(VENV)/.installed
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: lint types browser
	$(TEST_ENV) $(BIN)/python -m pytest -n $(WORKERS)

quick: lint types
	$(TEST_ENV) $(BIN)/python -m pytest -n $(WORKERS) -m "not browser and not slow"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

# The browser tests skip themselves, with this reason, where there is no Chromium.
browser:
	@command -v chromium >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	       && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-liberation; } \
	  || echo "No Chromium here and none could be installed: browser tests will be skipped."

$(VENV)/.installed: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	touch $@
