# Thin lines only: each target is a command that can be typed by hand.
SHELL := /bin/sh
PORT ?= 8080
MODEL ?=

# Compilers and tests keep their scratch files in the checkout, too.
export TMPDIR := $(CURDIR)/.local/tmp

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: local-build ## the whole system on this computer (PORT=8080, MODEL=folder or Hugging Face id); Ctrl-C stops it
	@exec .local/bin/local run -port "$(PORT)" -model "$(MODEL)"

.PHONY: local-build
local-build: .local/tmp ## build the web app and the local servers into .local/bin
	@[ -x .local/bin/vinfast ] || echo "Building (the first time takes a few minutes) ..."
	@go build -buildvcs=false -o .local/bin/ ./local
	@go build -buildvcs=false -o .local/bin/vinfast ./app

.local/tmp:
	@mkdir -p $@

# The Python client that the local endpoint is tested with.
.PHONY: test-deps
test-deps: .local/venv/installed ## install what the tests need besides Go

.local/venv/installed: local/endpoint/testdata/requirements.txt | .local/tmp
	@python3 -m venv .local/venv
	@.local/venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@
