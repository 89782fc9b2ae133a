# Thin lines only: each target is a command that can be typed by hand.
SHELL := /bin/sh
PORT ?= 8080
MODEL ?=
STACK ?= dev

# Compilers and tests keep their scratch files in the checkout, too.
export TMPDIR := $(CURDIR)/.local/tmp

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: local-build ## the whole system on this computer (PORT=8080, MODEL=folder or Hugging Face id); Ctrl-C stops it
	@exec .local/bin/local run -port "$(PORT)" -model "$(MODEL)"

.PHONY: doctor
doctor: local-build ## check every part of the system that runs on this computer
	@.local/bin/local doctor

.PHONY: local-build
local-build: .local/tmp ## build the web app and the local servers into .local/bin
	@[ -x .local/bin/vinfast ] || echo "Building (the first time takes a few minutes) ..."
	@go build -buildvcs=false -o .local/bin/ ./local
	@go build -buildvcs=false -o .local/bin/vinfast ./app

.local/tmp:
	@mkdir -p $@

.PHONY: test
test: test-deps check test-race test-infra ## everything a contributor must see pass
	@echo "All tests passed."

.PHONY: check
check: .local/tmp ## formatting, vet, staticcheck, shellcheck, known vulnerabilities
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "Not formatted (gofmt -w): $$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	shellcheck $$(git ls-files 'local/*.sh') .ci/run
	@go tool govulncheck ./app/... 2>.local/tmp/govulncheck || { \
		grep -q 'fetching vulnerabilities' .local/tmp/govulncheck && echo "govulncheck: left out, its database cannot be reached from here"; } || { \
		cat .local/tmp/govulncheck; exit 1; }

.PHONY: test-race
test-race: .local/tmp test-deps
	go test -race -shuffle=on -timeout 30m ./app/... ./local/...

# The count of mutations that the controls notice is printed, so that a shrinking
# one is seen.
.PHONY: test-infra
test-infra: .local/tmp test-deps
	go test -shuffle=on ./infra/... .
	@go test -run TestMutations -v ./infra | grep -E 'mutations|FAIL'

.PHONY: e2e
e2e: .local/tmp ## the program through Pulumi's engine and the AWS provider against an emulated AWS
	cd e2e && go test -count=1 -timeout 100m -v .

# Prowler is large (2 GB of Python packages), so this is not part of e2e.
.PHONY: audit
audit: .local/tmp ## Prowler on the emulated account after up; writes docs/audit.md
	cd e2e && go test -count=1 -timeout 70m -v -tags audit -run TestAudit .

# PyTorch is large (some GB) and only needed here: a Python environment of its own.
.PHONY: model-train
model-train: .local/tmp ## draw the pictures, train the demo model and report on it (20 minutes on two cores)
	@test -x .local/venv-train/bin/python || python3 -m venv .local/venv-train
	.local/venv-train/bin/pip install --disable-pip-version-check -r local/model/train/requirements.txt
	.local/venv-train/bin/python local/model/train/train.py --cache .local/model-train

SEED ?= 0
UPLOADS ?= 2000
.PHONY: faults faults-mutations
faults: .local/tmp ## break every part at random while pictures are sent, then count (SEED=n repeats one, UPLOADS=2000); needs root
	@go build -o .local/bin/faults ./local/faults/run
	@exec .local/bin/faults -seed "$(SEED)" -uploads "$(UPLOADS)"

faults-mutations: .local/tmp ## take out what keeps uploads safe, a line at a time, and see the fault run notice (15 minutes)
	@go build -o .local/bin/faults ./local/faults/run
	@exec .local/bin/faults -mutations -seed "$(SEED)" -uploads 300

.PHONY: bench
bench: local-build ## measure, and write docs/bench.md
	@test -x .local/venv-bench/bin/python || python3 -m venv .local/venv-bench
	@.local/venv-bench/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0
	@go run ./local/bench

.PHONY: preview up destroy verify
preview up destroy: ## pulumi on a stack in your AWS account (STACK=dev)
	@pulumi $@ --stack "$(STACK)"

# A session does not pass on the exit status of what it ran: the words are counted.
verify: .local/tmp ## check every path from every web instance of a deployed stack (STACK=dev)
	@command=$$(pulumi stack output doctorCommand --stack "$(STACK)") && \
	eval "$$command" | tee .local/tmp/verify && \
	[ "$$(grep -c '^everything works' .local/tmp/verify)" = "$$(echo "$$command" | grep -o start-session | wc -l)" ]

# What the tests need besides Go: programs of the system, and the Python client
# that the local endpoint is tested with.
.PHONY: test-deps test-needs
test-deps: test-needs .local/venv/installed .local/axe/axe_playwright_python/axe.min.js ## install what the tests need besides Go

test-needs: .local/tmp
	@local/test-needs.sh

.local/venv/installed: local/endpoint/testdata/requirements.txt app/testdata/requirements.txt | test-needs
	@python3 -m venv .local/venv
	@.local/venv/bin/pip install --quiet --disable-pip-version-check $(addprefix -r ,$^)
	@touch $@

# The checker of the accessibility tests, as a Python package brings it; nothing
# else of that package is used.
.local/axe/axe_playwright_python/axe.min.js: | .local/venv/installed
	@.local/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --target .local/axe axe-playwright-python==0.1.8
