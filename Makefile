# Run `make` for the list. Everything builds into target/ with the Rust toolchain alone.
CARGO ?= cargo
BINS = ibd ib-mcp ibctl ib-sim

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: ## the whole of it with an invented account, shown readably (`ibctl demo`)
	$(CARGO) build --profile demo -p ibd -p ib-mcp -p ibctl -p ib-sim --bins
	$${CARGO_TARGET_DIR:-target}/demo/ibctl demo

test: ## everything that needs only the Rust toolchain
	tests/prerequisites.sh rust
	$(CARGO) fmt --all --check
	# cargo fmt does not see the modules that the macros of the tables name.
	rustfmt --check --edition 2024 daemon/src/tools/*.rs daemon/src/resources/*.rs
	$(CARGO) build --workspace --bins --examples
	$(CARGO) build -p ibd --features faults --bin ibd-faults
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	# Stories wait more than they compute.
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-8} $(CARGO) test --workspace
	tests/packaging/check.sh
	tests/packaging/packages.sh

test-real: ## clients that nobody here wrote: SDKs, Inspector, conformance suite, ibind
	tests/prerequisites.sh real
	# As in `test`: another choice of targets would build half of it again.
	$(CARGO) build --workspace --bins --examples
	$(CARGO) build -p ibd --features faults --bin ibd-faults
	tests/real/run.sh
	# The way of a real model, with the calls of the book.
	$(MAKE) tasks MODEL_CMD='python3 $(CURDIR)/tests/tasks/scripted.py' TASKS=account,positions,orders,trade,danger,alerts,watchlists

RUNS ?= 10000
SEED ?= 1
JOBS ?= 24

faults: ## thousands of runs that kill the daemon and lie to it (RUNS=, SEED=, JOBS=)
	$(CARGO) build --release -p ib-sim -p ib-mcp
	$(CARGO) build --release -p ibd --features faults --bin ibd-faults
	$(CARGO) build --release -p ibd-tests --bin faults
	$${CARGO_TARGET_DIR:-target}/release/faults --runs $(RUNS) --seed $(SEED) --jobs $(JOBS)

bless: ## rewrite golden files after a change that is meant
	BLESS=1 $(CARGO) test -q -p ibd-protocol -p ibd
	BLESS=1 $(CARGO) test -q -p ibd-tests --test it docs
	$(CARGO) build --workspace --bins
	BLESS=1 $(CARGO) test -q -p ibd-tests --test it tasks::

MODEL_CMD ?=
TASKS ?=

tasks: ## a real model does what a person would ask (MODEL_CMD=, TASKS=); see tests/tasks/README.md
	@[ -n '$(subst ','\'',$(MODEL_CMD))' ] || { echo "MODEL_CMD='…' names the command" >&2; exit 2; }
	$(CARGO) build --workspace --bins
	MODEL_CMD='$(subst ','\'',$(MODEL_CMD))' TASKS='$(TASKS)' $(CARGO) test -p ibd-tests --test it tasks::a_model -- --ignored --nocapture

bench: ## figures for docs/performance.md
	$(CARGO) build --release --workspace --bins
	$(CARGO) build --release -p ibd-flex --examples
	$(CARGO) bench -p ibd-tests

install: ## for the current user: programs and service
	$(CARGO) build --release -p ibd -p ib-mcp -p ibctl -p ib-sim --bins
	packaging/install.sh

# Where it was built is not in the programs: the same source gives the same bytes in any folder.
packaged: ## the programs as packages carry them
	RUSTFLAGS="--remap-path-prefix=$(CURDIR)=/ibd --remap-path-prefix=$${CARGO_HOME:-$$HOME/.cargo}=/cargo" \
		$(CARGO) build --locked --profile packaged -p ibd -p ib-mcp -p ibctl -p ib-sim --bins

dist: packaged ## this platform's packages, in target/dist
	packaging/build.sh

uninstall: ## asks whether to keep state
	packaging/uninstall.sh

.PHONY: help demo test test-real tasks faults bless bench install packaged dist uninstall
