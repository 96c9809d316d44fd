# Needs Python 3.11, 3.12 or 3.13 and make; everything else goes into .venv.
#   make run LIBRARY=folder PORT=8000 DATA=./data      make test ARGS="-k mel"

DATA ?= ./data
PORT ?= 8000
LIBRARY ?=
# Which folders of LIBRARY become playlists: likely, all or none; asked on a terminal unless given.
PLAYLISTS ?=
ARGS ?=
# Processes that test: each has a PostgreSQL and, for some tests, TensorFlow of its own.
TESTERS ?= 2
PYTHON ?= python3.11 python3.12 python3.13 python3

# SERVE=1: a web process, or a worker that listens and scores; no TensorFlow. GPU=1: TensorFlow for Nvidia's GPUs.
SERVE ?=
GPU ?=

VENV := .venv
BIN := $(VENV)/bin
COUNTERPARTS := $(VENV)/counterparts
KIND := $(if $(SERVE),serve,$(if $(GPU),gpu,full))
LOCK := $(if $(SERVE),requirements-serve.txt,$(if $(GPU),requirements-gpu.txt,requirements.txt))
SETUP := $(VENV)/.setup-$(KIND)
SETUP_DEV := $(VENV)/.setup-dev
# A lock names all that is installed, so nothing is looked for beside it, and nothing else is taken.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --no-deps --require-hashes
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# TensorFlow's notices about this machine's processor say nothing about the music.
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help setup run test lint lock counterparts licences bench scale scorecard trained tried contract faults damage picture clean
.DELETE_ON_ERROR:

help:
	@echo "make setup   make the virtual environment .venv; SERVE=1 without what trains, GPU=1 for Nvidia's GPUs"
	@echo "make run     serve the demo, or LIBRARY=folder, on 127.0.0.1:PORT, keeping everything in DATA"
	@echo "make test    run every test; make lint, make bench, make scorecard, make trained, make tried, make clean"

setup: $(SETUP)

run: $(SETUP)
	$(BIN)/whichlist --data "$(DATA)" demo --port $(PORT) $(if $(LIBRARY),--library "$(LIBRARY)") $(if $(PLAYLISTS),--playlists $(PLAYLISTS))

test: $(SETUP_DEV)
	$(BIN)/python -m pytest -n $(TESTERS) --dist loadfile $(ARGS)

lint: $(SETUP_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Measured on a demo library of its own, so that yours stays as it is. The index of a million tracks comes last:
# building it takes minutes.
bench: $(SETUP_DEV)
	$(BIN)/whichlist --data "$(DATA)/bench" demo --prepare-only
	$(BIN)/python -m tests.benchmarks.bench_listen
	$(BIN)/python -m tests.benchmarks.bench_decode
	$(BIN)/python -m tests.benchmarks.bench_recommend --data "$(DATA)/bench"
	$(BIN)/python -m tests.benchmarks.bench_matching
	$(BIN)/python -m tests.benchmarks.bench_formats
	$(BIN)/python -m tests.benchmarks.bench_servers
	$(BIN)/python -m tests.benchmarks.bench_feed --data "$(DATA)/bench"
	$(BIN)/python -m tests.benchmarks.bench_pages --data "$(DATA)/bench"
	$(BIN)/python -m tests.benchmarks.bench_ledger
	$(BIN)/python -m tests.benchmarks.bench_fit
	$(BIN)/python -m tests.benchmarks.bench_index

# What grows with the library: made catalogues of 1,000, 10,000 and 100,000 tracks, a quarter of an hour on two cores.
#   make scale TRACKS="1000 1000000"
scale: $(SETUP_DEV)
	$(BIN)/whichlist --data "$(DATA)/bench" demo --prepare-only
	$(BIN)/python -m tests.benchmarks.bench_scale --data "$(DATA)/bench" $(if $(TRACKS),--tracks $(TRACKS))

# The learning figures, on research sets that lie beside the project or under BENCH=folder.
scorecard: $(SETUP_DEV)
	$(BIN)/python -m tests.benchmarks.bench_scorecard $(if $(BENCH),--bench "$(BENCH)")
	$(BIN)/python -m tests.benchmarks.bench_music --data "$(DATA)/bench" $(if $(MUSIC),--music "$(MUSIC)")

# The trained networks beside the pretrained one, on the same sets: an hour on two cores.
trained: $(SETUP_DEV)
	$(BIN)/python -m tests.benchmarks.bench_trained $(if $(BENCH),--bench "$(BENCH)")

# What was tried to learn more from few tracks, on the same sets: half an hour on two cores.
tried: $(SETUP_DEV)
	$(BIN)/python -m tests.benchmarks.bench_tried $(if $(BENCH),--bench "$(BENCH)")

# The served program against its OpenAPI document, with more cases than the tests have and another seed.
#   make contract CASES=200 SEED=7
contract: $(SETUP_DEV) $(COUNTERPARTS)/.setup
	WHICHLIST_CONTRACT_CASES=$(or $(CASES),100) WHICHLIST_CONTRACT_SEED=$(or $(SEED),1) \
	  $(BIN)/python -m pytest tests/api/test_contract.py $(ARGS)

# Kills, full disks, clocks and the like in the middle of a batch of 200 tracks, ten times each on both databases:
# an hour on two cores.
faults: $(SETUP_DEV)
	$(BIN)/python -m tests.benchmarks.bench_faults $(ARGS)

# A thousand damaged files over all formats: crashes, hangs, lengths that are wrong without a word; needs ffmpeg.
damage: $(SETUP_DEV)
	$(BIN)/python -m tests.benchmarks.bench_damage $(ARGS)

# The picture of the README, taken of the demo; needs Chromium.
picture: $(SETUP_DEV)
	$(BIN)/whichlist --data "$(DATA)/bench" demo --prepare-only
	$(BIN)/python -m tests.browser.picture --data "$(DATA)/bench" --out docs/pictures/answer.png

# Your music, playlists and models are in DATA, which this leaves alone.
clean:
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@for python in $(PYTHON); do \
	  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	    "$$python" -m venv $(VENV) && exit 0; \
	    echo "$$python cannot make a virtual environment (on Debian and Ubuntu: apt install python3-venv)." >&2; \
	    rm -rf $(VENV); exit 1; \
	  fi; \
	done; \
	echo "Whichlist needs Python 3.11, 3.12 or 3.13, and found none of: $(PYTHON)." >&2; \
	echo "Install one (https://www.python.org/downloads/), or name yours: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; \
	exit 1

$(SETUP): $(LOCK) pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) -r $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(SETUP_DEV): requirements-dev.txt pyproject.toml | $(BIN)/python
	$(PIP_INSTALL) -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.setup-full

# Other people's readers and libraries, for the tests that hold Whichlist against them; skipped without them.
counterparts: $(COUNTERPARTS)/.setup
$(COUNTERPARTS)/.setup: requirements-counterparts.txt | $(BIN)/python
	$(BIN)/python -m venv $(COUNTERPARTS)
	$(COUNTERPARTS)/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-counterparts.txt
	@touch $@

# The locks, made anew from pyproject.toml for every Python and machine that is supported. They are committed.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command "make lock" pyproject.toml --extra build
lock: $(SETUP_DEV)
	$(COMPILE) --output-file requirements-serve.txt
	$(COMPILE) --extra train --output-file requirements.txt
	$(COMPILE) --extra gpu --output-file requirements-gpu.txt
	$(COMPILE) --extra train --extra dev --output-file requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" --group counterparts --output-file requirements-counterparts.txt

# Every installed package with its licence; fails when one forbids what an MIT project does.
licences: $(SETUP)
	$(BIN)/python -m tests.licences
