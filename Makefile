# Every command of this project. `make` alone lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

LISTEN ?= 127.0.0.1:8080
DATA ?= data
# For each input of `make fuzz`; and for each address of `make fuzz-api`.
SECONDS ?= 60
EXAMPLES ?= 5

# What `make test` runs, in this order.
CHECKS := check-format lint supply-chain test-web test-server fuzz-api test-pages e2e faults

# What was done is noted here, so that it is done again only when something changed.
DONE := target/done
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*' -not -path '*/.svelte-kit/*' -not -path '*/test/*' 2>/dev/null)

.PHONY: help run build web dev quick test e2e faults faults-long fuzz fuzz-api bench fixture bless clean screenshots tools test-tools check-format lint test-server test-web test-pages supply-chain embedded

help: ## Show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name about; do printf '  make %-12s %s\n' "$$name" "$$about"; done

# ---------------------------------------------------------------- use

run: build ## Build what changed, then serve on http://127.0.0.1:8080 with everything in ./data
	@exec target/release/ocs serve --listen $(LISTEN) --data $(DATA)

build: tools $(DONE)/embedded ## Build target/release/ocs with the console and the widget inside
	@cargo build --release --locked

# The release build takes web/dist in when it compiles this file; files that are new it would not notice.
$(DONE)/embedded: $(DONE)/web
	@touch src/http/dist.rs $@

web: tools $(DONE)/web ## Build the console and the widget into web/dist

$(DONE)/web: $(DONE)/packages $(WEB_SOURCES)
	cd web && npm run build
	@touch $@

$(DONE)/packages: web/package-lock.json web/.npmrc $(wildcard web/package.json web/*/package.json)
	cd web && npm ci --ignore-scripts
	@mkdir -p $(DONE) && touch $@

tools:
	@scripts/check-tools

# ---------------------------------------------------------------- change

dev: tools $(DONE)/web ## Serve, and build again at each change; the console reloads by itself
	@node scripts/dev.js $(LISTEN) $(DATA)

quick: tools $(DONE)/packages check-format lint ## The inner loop: format, lints, unit tests, web types and unit tests
	cargo test --locked --lib
	cd web && npm run check && npm test

# The same faults each time.
test: export ONLY = --seed 1
test: tools test-tools ## Every check that continuous integration makes, with the programs that it needs
	@scripts/run-checks $(CHECKS)

e2e: $(DONE)/packages $(DONE)/web ## Stories in a real browser against the real server: make e2e STORIES="reload images"
	cargo build --locked
	@node e2e/run.js $(STORIES)

screenshots: $(DONE)/packages $(DONE)/web ## Make the pictures in docs/screenshots anew
	cargo build --locked
	@KEEP_SCREENSHOTS=1 node e2e/run.js screenshots

supply-chain:
	@scripts/check-supply-chain

check-format:
	cargo fmt --check

lint:
	cargo clippy --locked --all-targets -- -D warnings

test-server:
	cargo test --locked

test-web: $(DONE)/packages
	cd web && npm run check && npm test
	@$(MAKE) $(DONE)/web
	cd web && npm run budget && npm run oldest-browsers && npm run reproduce

test-pages: $(DONE)/packages
	cd web && npm run test:browser --workspace console && npm run browser

test-tools:
	@scripts/install-test-tools

faults: ## Hurt a real server and check what it promises: make faults ONLY="--only FT01 --seed 7" (docs/faults.md)
	cargo test --locked --test faults -- short $(ONLY)

faults-long: ## The same with more of everything; takes an hour or more
	cargo test --locked --test faults -- long $(ONLY)

fuzz: ## Invent input for everything that reads what strangers send: make fuzz SECONDS=300 INPUTS="images frames"
	@scripts/fuzz $(SECONDS) $(INPUTS)

fuzz-api: $(DONE)/packages test-tools ## Hold every address of a real server against docs/openapi.json: make fuzz-api EXAMPLES=100
	cargo build --locked
	@node scripts/fuzz-api.js $(EXAMPLES)

bench: build ## Measure the release build
	target/release/ocs bench

fixture: ## Keep a small database of the newest schema, which every later version must open (tests/fixtures)
	cargo test --locked --test suite -- --ignored --exact schemas::make_the_fixture_of_the_newest_schema

bless: tools ## Write the files that are made from the program anew
	@scripts/bless

clean: ## Remove everything that was built; ./data stays
	cargo clean
	rm -rf web/dist web/node_modules web/*/node_modules web/*/.svelte-kit e2e/out
