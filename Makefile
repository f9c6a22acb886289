# Two commands: `make demo` trains on real digits, `make test` runs the tests. Each installs what it needs into .venv.
.DEFAULT_GOAL := help
.PHONY: help demo install test test-all sanitize check build bench docs clean

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo:  ## train a small network on real handwritten digits, in seconds
	@scripts/install
	@.venv/bin/thalweg train digits

install:  ## the library and its tests into .venv
	@scripts/install test

test:  ## the tests that every change must pass
	@scripts/install test
	@scripts/test

test-all:  ## these, the long ones, and a slice of them on Python 3.13 with the newest JAX
	@scripts/install test
	@scripts/test -m ""
	@scripts/test-newest

sanitize:  ## the kernels' tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/install test
	@scripts/sanitize

check:  ## lint, types, import contracts
	@scripts/install test
	@scripts/check

build:  ## a wheel in dist/, with the kernels for every instruction set
	@scripts/install wheel
	@scripts/build

bench:  ## training steps side by side with the peers; writes benchmarks/results/
	@scripts/install test,torch
	@scripts/bench

docs:  ## the documentation in site/
	@scripts/install docs
	@.venv/bin/mkdocs build --strict

clean:  ## everything that was built
	rm -rf .venv .venv-newest build dist site .pytest_cache .ruff_cache .hypothesis .import_linter_cache
