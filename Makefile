PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait much, for frames and for time-outs: one more of them at a time than there are cores.
JOBS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
ifdef SOURCE
# In the environment, because the arguments of a program can be read by everybody on the machine; as
# it was written, because a password may hold a $.
export SENDER_SOURCE := $(value SOURCE)
endif

.DEFAULT_GOAL := help
SUPPLY := $(VENV)/supply
.PHONY: help demo check format lock audit sbom test screenshots mutants survive bench quick clean

help:  ## say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 13

$(VENV)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Framepost needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	@echo "Making the virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

$(VENV)/.mutation: requirements-mutation.txt $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-mutation.txt
	@touch $@

demo: $(VENV)/.run  ## a simulated camera, a sender and a receiver in one terminal; SOURCE=rtsp://... for your own camera
	@exec $(BIN)/python -m camera.demo

check: $(VENV)/.dev  ## format, lint and types, in seconds
	@$(BIN)/ruff format --check --quiet . || { echo "run 'make format'"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary

format: $(VENV)/.dev  ## let ruff format and fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

$(SUPPLY)/.made: requirements-supply.txt
	@$(PYTHON) -m venv $(SUPPLY)
	@$(SUPPLY)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-supply.txt
	@touch $@

lock: $(SUPPLY)/.made  ## what the containers install, all of it, with hashes; after a change of requirements.txt
	@# A container has no screen: OpenCV without windows is the same code, and spares 350 MB of graphics.
	@sed 's/^opencv-python==/opencv-python-headless==/' requirements.txt | $(SUPPLY)/bin/uv pip compile --quiet \
		--generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
		--custom-compile-command 'make lock' --output-file requirements.lock -

audit: $(SUPPLY)/.made  ## known vulnerabilities of what the containers install; needs the network
	@$(SUPPLY)/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock --progress-spinner off \
		|| { echo "audit: expected every package to be looked up and none to be known as vulnerable, got the above"; exit 1; }

sbom: $(SUPPLY)/.made  ## sbom.cdx.json: what the containers install, as CycloneDX
	@$(SUPPLY)/bin/cyclonedx-py requirements --output-reproducible --output-format JSON --output-file sbom.cdx.json requirements.lock

# Or each of some hundred programs that the tests start would compile all of ours.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev  ## everything; what this machine lacks is skipped, with the line that installs it
	@$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

screenshots: $(VENV)/.dev  ## the README's pictures of the page, anew
	@FRAMEPOST_SCREENSHOTS=docs/pictures $(BIN)/python -m pytest -q tests/receiver/view/browser/test_screenshots.py

survive: $(VENV)/.dev  ## every promise against faults and strangers, then each without its defence; hours
	@$(BIN)/python -m tests.survive $(ARGS)
	@$(BIN)/python -m tests.survive --disarmed $(ARGS)

mutants: $(VENV)/.mutation  ## change the product a little, thousands of times, and count how often a test notices; NAME=spool tries what has that in its name
	@nice -n 10 $(BIN)/python -m tests.mutation $(NAME) $(ARGS)

bench: $(VENV)/.bench  ## every benchmark beside its rivals, an hour and more; ARGS="--clip clip.mp4" for natural pictures
	@$(BIN)/python -m benchmarks every $(ARGS)

quick: $(VENV)/.dev  ## a few ratios to the limits, in half a minute
	@$(BIN)/python -m benchmarks quick $(ARGS)

clean:  ## remove what make made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
