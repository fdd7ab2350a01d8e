# Everything happens in .venv/ of this checkout; any target sets it up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
OCR := $(VENV)/ocr
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
DEMO := demo
# Containers often forbid it, and then every process compiles all modules anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test check messages bench comfyui-peer test-comfyui test-mariadb test-exiftool test-ocr fuzz clean

help:
	@echo "make demo          the sample catalog through the simulator, into $(DEMO)/"
	@echo "make test          all tests but those with a real ComfyUI, MariaDB, exiftool or OCR"
	@echo "make test-comfyui  the tests with a real ComfyUI (COMFYUI_URL names one; else one is built, 1.6 GB)"
	@echo "make test-mariadb  the tests with a real MariaDB, which must be installed (Debian: apt-get install mariadb-server)"
	@echo "make test-ocr      the tests that read pictures with the models of the extra ocr, which it installs apart (100 MB)"
	@echo "make fuzz          10,000 mutated catalogs (minutes)"
	@echo "make check         format, lint, types, layers"
	@echo "make messages      collect the texts people read, and compile their translations"
	@echo "make bench         speed and cost, beside targets (long; like test-comfyui it builds a ComfyUI once)"
	@echo "make clean         remove what these made"

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# Two rows of the sample catalog are wrong on purpose, which ends a run with 1.
demo: $(STAMP)
	@test -d $(DEMO)/config || $(BIN)/catalog-imagegen init $(DEMO)
	@$(BIN)/catalog-imagegen run $(DEMO)/sample_catalog/products.xlsx --workspace $(DEMO) --simulate || test $$? -eq 1
	@$(BIN)/catalog-imagegen status --workspace $(DEMO) --simulate

test: $(STAMP)
	$(PYTEST) -m "not comfyui and not mariadb and not exiftool and not ocr" --ignore tests/fuzz

fuzz: $(STAMP)
	$(PYTEST) tests/fuzz

comfyui-peer: $(STAMP)
	@test -n "$$COMFYUI_URL" || $(BIN)/python -m tests.comfyui.peer

test-comfyui: comfyui-peer
	$(PYTEST) tests/comfyui -m comfyui

# The files of so few tests are found sooner than two thousand tests are collected.
test-mariadb: $(STAMP)
	$(BIN)/python -m pytest -m mariadb $$(grep -rl --include='test_*.py' 'mark\.mariadb' tests)

test-exiftool: $(STAMP)
	$(BIN)/python -m pytest -m exiftool $$(grep -rl --include='test_*.py' 'mark\.exiftool' tests)

# An environment on top of the other, which goes on without the extra: what is not there is not read.
$(OCR)/installed: $(STAMP)
	$(BIN)/python -m venv --without-pip $(OCR)
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> "$$($(OCR)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/below.pth"
	$(OCR)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[ocr]'
	@touch $@

test-ocr: $(OCR)/installed
	$(OCR)/bin/python -m pytest -m ocr $$(grep -rl --include='test_*.py' 'mark\.ocr' tests)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

messages: $(STAMP)
	$(BIN)/python -m tests.messages

bench: $(STAMP)
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) $(DEMO) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage*
