# make reproduce   every table, figure and the paper from the data
# make test        the tests
# make test-lowest the tests with the lowest versions that pyproject.toml allows (Python 3.11 or 3.12)
# make test-spark  the tests on Spark, which need Java; in an environment that adds pyspark to .venv
# make package     results and paper up to date, then one archive for a journal, in dist/
# make check       formatting, linting, types
# make bench       time and memory beside other packages, in an environment of its own
# make bench-quick have we become slower? ratios to other programs beside the committed ones
# make docs        the documentation site, in docs/_build/html
# make links       the links of the documentation that lead outside
# make lock        the lock files anew, after a change of dependencies (needs uv)
# make clean       the environments and the state of the task graph

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH := .venv-bench
BENCH_READY := $(BENCH)/.ready
LOWEST := .venv-lowest
LOWEST_READY := $(LOWEST)/.ready
SPARK := .venv-spark
SPARK_READY := $(SPARK)/.ready
DOCS_VENV := .venv-docs
DOCS_READY := $(DOCS_VENV)/.ready
# One thread per process: faster for small matrices, and the same rounding on any number of cores.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: reproduce package test test-lowest test-spark check bench bench-quick docs links lock clean

reproduce: $(READY)
	@$(BIN)/jjjpolicy reproduce

package: reproduce
	@$(BIN)/jjjpolicy package

test: $(READY)
	@$(BIN)/python -m pytest -n auto -rs

test-lowest: $(LOWEST_READY)
	@$(LOWEST)/bin/python -m pytest -n auto -rs

test-spark: $(SPARK_READY)
	@$(SPARK)/bin/python -m pytest -k spark -rs tests/test_table_designs.py tests/relocation

check: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: $(BENCH_READY)
	@$(BENCH)/bin/python benchmarks/run.py
	@$(BENCH)/bin/python benchmarks/run.py --busy cs sun-abraham imputation

bench-quick: $(READY)
	@$(BIN)/python benchmarks/quick.py $(OPTIONS)

$(BENCH_READY): pyproject.toml
	@rm -rf $(BENCH)
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --editable '.[peers]'
	@touch $(BENCH_READY)

# $(call locked,FOLDER,LOCK FILE): a new environment, installed from the lock file.
define locked
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "jjjpolicy needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.12"; exit 1; }
@echo "Installing the environment of $(2) into $(1)"
@rm -rf $(1)
@$(PYTHON) -m venv $(1) || \
	{ echo "This Python cannot make virtual environments; install its venv module (on Debian: python3-venv)."; exit 1; }
@$(1)/bin/python -m pip install --quiet --no-compile --require-hashes --only-binary :all: -r $(2)
endef

$(READY): requirements.lock pyproject.toml
	$(call locked,$(VENV),requirements.lock)
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

$(LOWEST_READY): requirements-lowest.lock pyproject.toml
	$(call locked,$(LOWEST),requirements-lowest.lock)
	@$(LOWEST)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(LOWEST_READY)

$(SPARK_READY): $(READY)
	@rm -rf $(SPARK)
	@$(PYTHON) -m venv $(SPARK)
	@here=$$($(SPARK)/bin/python -c 'import site; print(site.getsitepackages()[0])'); \
		echo "import site; site.addsitedir('$(CURDIR)/$(VENV)/$${here#*$(SPARK)/}')" > "$$here/locked.pth"
	@$(SPARK)/bin/python -m pip install --quiet 'ibis-framework[pyspark]' 'pyspark>=4.0'
	@touch $(SPARK_READY)

docs: $(DOCS_READY)
	@$(DOCS_VENV)/bin/sphinx-build -j auto -W --keep-going -q docs docs/_build/html
	@echo "The site is docs/_build/html/index.html"

links:
	@$(PYTHON) docs/_extensions/links.py

$(DOCS_READY): docs/requirements.lock
	$(call locked,$(DOCS_VENV),docs/requirements.lock)
	@touch $(DOCS_READY)

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--upgrade --extra paper --extra firms --extra test --extra build \
		pyproject.toml --output-file requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--upgrade --extra paper --extra firms --extra test --extra build \
		--resolution lowest-direct --only-binary :all: \
		pyproject.toml --output-file requirements-lowest.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--upgrade --extra docs --constraint requirements.lock \
		pyproject.toml --output-file docs/requirements.lock

clean:
	rm -rf $(VENV) $(BENCH) $(LOWEST) $(DOCS_VENV) .pytask build dist docs/_build
