# Thin lines only: each target is a command that can be typed by hand.
SHELL := /bin/sh
PORT ?= 8080
MODEL ?=
STACK ?= dev

# The order of tests: by chance for a person, the same in every run of CI.
SHUFFLE := $(if $(CI),1,on)

# Notes how long each part took; .ci/run prints the notes as a table.
TIMED := .ci/timed

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9 -]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: local-build ## the whole system on this computer (PORT=8080, MODEL=folder or Hugging Face id); Ctrl-C stops it
	@exec .local/bin/local run -port "$(PORT)" -model "$(MODEL)"

.PHONY: doctor
doctor: local-build ## check every part of the system that runs on this computer
	@.local/bin/local doctor

.PHONY: local-build
local-build: ## build the web app and the local servers into .local/bin
	@[ -x .local/bin/vinfast ] || echo "Building (the first time takes a few minutes) ..."
	@go build -buildvcs=false -o .local/bin/ ./local
	@go build -buildvcs=false -o .local/bin/vinfast ./app

# In the order in which a contributor wants to hear of a fault.
.PHONY: test
test: test-deps check test-infra test-app ## everything a contributor must see pass, in some minutes
	@echo "All tests passed."

# The files with the tag "unit" left out need a browser, a database server or
# Python.
.PHONY: unit
unit: ## the quick inner loop: no browser, no database, no Python
	go test -tags unit -shuffle=$(SHUFFLE) ./app/... ./local/... ./infra/... .

# The files with the tag "long"; all their tests are called TestLong.
.PHONY: test-all
test-all: test-deps ## what "make test" leaves out because it takes long
	$(TIMED) "long: app and local" go test -race -shuffle=$(SHUFFLE) -timeout 30m -tags long -run '^TestLong' ./app/... ./local/...
	$(TIMED) "long: model" go test -shuffle=$(SHUFFLE) -timeout 30m -tags long -run '^TestLong' ./local/model

# e2e/provider compiles only beside sources that are made when it is built.
.PHONY: check
check: ## formatting, vet, staticcheck, shellcheck, tidy modules, known vulnerabilities
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "Not formatted (gofmt -w): $$unformatted"; exit 1; }
	shellcheck $$(git ls-files 'local/*.sh' 'e2e/*.sh') .ci/run .ci/cold .ci/timed
	go mod tidy -diff
	cd e2e && go mod tidy -diff
	$(TIMED) "compile Pulumi's AWS package" go build ./infra/... .
	$(TIMED) "vet" go vet -tags long ./...
	$(TIMED) "staticcheck" go tool staticcheck -tags long ./...
	go build -o .local/bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	cd e2e && ../$(TIMED) "vet and staticcheck of e2e" sh -c 'go vet ./... && ../.local/bin/staticcheck ./...'
	cd e2e/engine && ../../$(TIMED) "vet and staticcheck of e2e/engine" sh -c 'go vet ./... && ../../.local/bin/staticcheck ./...'
	@go tool govulncheck ./app/... 2>.local/govulncheck || { \
		grep -q 'fetching vulnerabilities' .local/govulncheck && echo "govulncheck: left out, its database cannot be reached from here"; } || { \
		cat .local/govulncheck; exit 1; }

# The demo model's arithmetic is not run under the race detector, which makes it
# ten times slower and watches nothing there; loading and concurrency are.
.PHONY: test-app
test-app: test-deps
	$(TIMED) "test: app and local" go test -race -shuffle=$(SHUFFLE) -timeout 20m ./app/... ./local/...
	$(TIMED) "test: model" go test -shuffle=$(SHUFFLE) -timeout 20m ./local/model

# The count of mutations that the controls notice is printed, so that a shrinking
# one is seen.
.PHONY: test-infra
test-infra: test-deps
	$(TIMED) "test: infra" go test -shuffle=$(SHUFFLE) ./infra/... .
	@go test -run TestMutations -v ./infra | grep -E 'mutations|FAIL'

.PHONY: e2e e2e-all
e2e: test-needs ## the program through Pulumi's engine and the AWS provider against an emulated AWS
	cd e2e && SEED= ../$(TIMED) "e2e" go test -count=1 -timeout 100m -v .

e2e-all: test-needs ## the same, with refused calls also chosen by chance and one of every kind
	cd e2e && SEED=158886,random,all go test -count=1 -timeout 300m -v .

.PHONY: ci-cold
ci-cold: ## .ci/run of the last commit on a machine that has nothing yet; needs root, takes an hour
	@.ci/cold

.PHONY: golden
golden: ## write all generated files anew: user data, plan, names, configuration, cost, exceptions, architecture
	go test ./infra -update
	go run ./infra/document/write
	go test -tags unit -run TestSmallSamples ./app/web -update

# Prowler is large (2 GB of Python packages), so this is not part of e2e.
.PHONY: audit
audit: ## Prowler on the emulated account after up; writes docs/audit.md
	cd e2e && go test -count=1 -timeout 70m -v -tags audit -run TestAudit .

# PyTorch is large (some GB) and only needed here: a Python environment of its own.
.PHONY: model-train
model-train: ## draw the pictures, train the demo model and report on it (20 minutes on two cores)
	@test -x .local/venv-train/bin/python || python3 -m venv .local/venv-train
	.local/venv-train/bin/pip install --disable-pip-version-check -r local/model/train/requirements.txt
	.local/venv-train/bin/python local/model/train/train.py --cache .local/model-train

SEED ?= 0
UPLOADS ?= 2000
.PHONY: faults faults-mutations
faults: ## break every part at random while pictures are sent, then count (SEED=n repeats one, UPLOADS=2000); needs root
	@go build -o .local/bin/faults ./local/faults/run
	@exec .local/bin/faults -seed "$(SEED)" -uploads "$(UPLOADS)"

faults-mutations: ## take out what keeps uploads safe, a line at a time, and see the fault run notice (15 minutes)
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
verify: ## check every path from every web instance of a deployed stack (STACK=dev)
	@mkdir -p .local && command=$$(pulumi stack output doctorCommand --stack "$(STACK)") && \
	eval "$$command" | tee .local/verify && \
	[ "$$(grep -c '^everything works' .local/verify)" = "$$(echo "$$command" | grep -o start-session | wc -l)" ]

# What the tests need besides Go: programs of the system, and the Python client
# that the local endpoint is tested with.
.PHONY: test-deps test-needs
test-deps: test-needs .local/venv/installed .local/axe/axe_playwright_python/axe.min.js ## install what the tests need besides Go

test-needs:
	@local/test-needs.sh

.local/venv/installed: local/endpoint/testdata/requirements.txt app/testdata/requirements.txt | test-needs
	@python3 -m venv .local/venv
	@.local/venv/bin/pip install --quiet --disable-pip-version-check $(addprefix -r ,$^)
	@touch $@

# The checker of the accessibility tests, as a Python package brings it; nothing
# else of that package is used.
.local/axe/axe_playwright_python/axe.min.js: | .local/venv/installed
	@.local/venv/bin/pip install --quiet --disable-pip-version-check --no-deps --target .local/axe axe-playwright-python==0.1.8
