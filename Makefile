# Two commands do all set-up on a machine with Python 3.11 and nothing else: `make demo`, `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The generator for phones, which everything uses unless told otherwise, and the published network.
GENERATOR := model/weights/mobilefsgan-lite.pt
PUBLISHED := model/weights/mobilefsgan.pt
IDENTITY := model/weights/mobilefacenet.pt
BUNDLE := dist/$(basename $(notdir $(GENERATOR)))
PUBLISHED_BUNDLE := dist/$(basename $(notdir $(PUBLISHED)))
SOURCES := $(wildcard model/*.py pipeline/*.py pipeline/*/*.py export/*.py export/*/*.py)

# What the apps carry, and what their tests replay. `make web APP_BUNDLE=dist/ckpt` takes a bundle
# of the user's own, and exports nothing.
APPS := build/apps
APP_BUNDLE := $(APPS)/$(basename $(notdir $(GENERATOR)))
PUBLISHED_APP_BUNDLE := $(APPS)/$(basename $(notdir $(PUBLISHED)))
APP_FILES := $(if $(filter $(APPS)/%,$(APP_BUNDLE)),$(APPS)/.ready)

.PHONY: demo bench test check fast fuzz web web-test android ios train-smoke format clean

demo: $(BUNDLE)/manifest.json  ## export both generators to every format, prove it, print the tables
	@for bundle in $(PUBLISHED_BUNDLE) $(BUNDLE); do \
	echo; echo "replaying the golden samples of $$bundle:"; \
	$(BIN)/python -m export.verify $$bundle || exit; done

bench: $(BUNDLE)/manifest.json  ## a short table of all backends, and its plots
	$(BIN)/python -m export.tflite $(GENERATOR) --identity $(IDENTITY) --precision dynamic
	$(BIN)/python -m export.onnx $(GENERATOR) --identity $(IDENTITY) --precision int8
	$(BIN)/python benchmarks/latency.py $(BUNDLE) --checkpoint $(GENERATOR) --json benchmarks/results/latency.jsonl
	$(BIN)/python benchmarks/report.py benchmarks/results/latency.jsonl -o benchmarks/results

# One thread a worker: two workers with two threads each would wait for each other on two cores.
# A file stays with one worker, because its fixtures are made once a file.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

test: check web-test android ios  ## everything, as CI runs it
	$(PYTEST)

check: $(READY)  ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fast: $(READY)  ## three quarters of the tests, in a minute
	$(PYTEST) -m "not slow"

FUZZ_SECONDS ?= 300
FUZZ_SEED ?= 0

fuzz: $(READY)  ## damage checkpoints, bundles, packages and identities for minutes; prints figures
	PYTHONPATH=. $(BIN)/python tests/fuzzing.py --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

# Each of the three says in a line what it skips, where a tool is missing; in CI that is an error.
web-test: $(APP_FILES) | $(READY)  ## lint, types and tests of web_demo, in Node.js and headless Chromium
	MOBILEFSGAN_BUNDLE=$(abspath $(APP_BUNDLE)) MOBILEFSGAN_PUBLISHED_BUNDLE=$(abspath $(PUBLISHED_APP_BUNDLE)) \
	PYTHON=$(abspath $(BIN)/python) web_demo/test.sh

android: $(APP_FILES) | $(READY)  ## build and test android_demo, and make an APK in dist/android
	MOBILEFSGAN_BUNDLE=$(abspath $(APP_BUNDLE)) PYTHON=$(abspath $(BIN)/python) android_demo/ci/test.sh

ios: $(APP_FILES) | $(READY)  ## build, test and type-check ios_demo with Swift on Linux
	MOBILEFSGAN_BUNDLE=$(abspath $(APP_BUNDLE)) ios_demo/check

web: $(APP_FILES) | $(READY)  ## serve the web demo; WEB_FLAGS=--https for a phone in the same network
	$(BIN)/python -m export.bundle --web $(APP_BUNDLE)
	@if command -v npm >/dev/null; then cd web_demo && npm ci --silent --no-audit --no-fund && node build.mjs; \
	else echo "make web needs Node.js 20 or newer, to install the runtime of the page"; exit 3; fi
	$(BIN)/python benchmarks/serve_page.py $(WEB_FLAGS)

train-smoke: $(READY)  ## train a tiny generator on generated faces, in a minute
	$(BIN)/python -m pytest -q tests/test_train_run.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf build dist

# The pipeline takes the newest bundle, so the small generator's comes last. --overwrite: a bundle of
# the weights that were shipped before is replaced.
$(BUNDLE)/manifest.json: $(GENERATOR) $(IDENTITY) $(SOURCES) $(PUBLISHED_BUNDLE)/manifest.json | $(READY)
	$(BIN)/python -m export $(GENERATOR) --identity $(IDENTITY) --overwrite
	$(BIN)/python -m export.tflite $(GENERATOR) --identity $(IDENTITY) --precision int8

$(PUBLISHED_BUNDLE)/manifest.json: $(PUBLISHED) $(IDENTITY) $(SOURCES) | $(READY)
	$(BIN)/python -m export $(PUBLISHED) --identity $(IDENTITY) --overwrite

# One test of the web demo compares with the published generator.
$(APPS)/.ready: $(GENERATOR) $(PUBLISHED) $(IDENTITY) $(SOURCES) | $(READY)
	$(BIN)/python -m export.tflite $(PUBLISHED) --identity $(IDENTITY) -o $(APPS) --precision int8 --no-parity --overwrite
	$(BIN)/python -m export.tflite $(GENERATOR) --identity $(IDENTITY) -o $(APPS) --precision fp32 int8 --overwrite
	$(BIN)/python -m export.onnx $(GENERATOR) --identity $(IDENTITY) -o $(APPS) --precision fp32 int8
	$(BIN)/python -m export.coreml $(GENERATOR) --identity $(IDENTITY) -o $(APPS) --precision fp16 --no-parity
	@touch $@

# requirements.lock holds every version, also of what the pinned packages pull in. setuptools warns
# of every editable installation, in nine lines.
$(READY): pyproject.toml requirements.lock
	@echo "installing the pinned packages into $(VENV), which takes some minutes and shows no progress"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip==26.3
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet -c requirements.lock -e '.[all,dev]'
	@touch $@
