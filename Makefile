# SPDX-License-Identifier: GPL-2.0-or-later
# The front door. CMake does the building; this installs what a target needs, builds it, and runs it.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BUILD := build
BIN := $(BUILD)/bin
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
DEMO_SCENARIO ?= scenarios/gray-link.toml
# More words for `dyetrace run`, for example: make demo FLAGS="--seed 7"; or for test-mpi: FLAGS="--grade lean --repeat 3"
FLAGS ?=
LAB ?=
# An ns-3 source tree, for test-ns3.
NS3_SRC ?=
# Where an ns-3 with MPI is installed, for test-mpi; built once where there is none.
NS3_MPI ?=
# Which benchmarks; all when empty.
BENCH ?=

export NO_INSTALL LAB

# $(call packages,<section>...): installs what is missing; the list is packages.list.
packages = @cmake/packages.sh $(1)
# $(call configure,<preset>,<folder>): anew only when packages came or went since; Ninja itself sees a changed CMakeLists.txt.
configure = @if [ ! -e $(2)/build.ninja ] || [ ! -e $(2)/.configured ] || [ -n "$$(find $(BUILD)/packages -newer $(2)/.configured 2>/dev/null)" ]; \
	then cmake --preset $(1) && touch $(2)/.configured; fi
# $(call build,<preset>[,<target>...]): all, or only what these targets need.
build = @cmake --build --preset $(1) -j $(JOBS) $(if $(2),--target $(2))

.PHONY: help demo test test-ns3 test-mpi check viewer host lab bench bench-sim docs fuzz explore format clean
.NOTPARALLEL:

help: ## Say what there is to make (this text)
	@echo "dyetrace: make TARGET"
	@echo
	@awk -F ':[^#]*## ' '/^[a-z0-9-]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "Programs land in $(BIN)/. A target first installs the Debian packages that it needs and that are missing"
	@echo "(packages.list); NO_INSTALL=1 names them and stops instead. JOBS=N bounds the compilers at work (now $(JOBS))."

demo: ## Simulate a fabric with one sick link, find the link, write a report
	$(call packages,build ns3 report)
	$(call configure,release,$(BUILD))
	$(call build,release,dyetrace)
	@mkdir -p $(BUILD)/demo
	@$(BIN)/dyetrace run $(DEMO_SCENARIO) -o $(BUILD)/demo/gray-link.db --force $(FLAGS)
	@$(BIN)/dyetrace report $(BUILD)/demo/gray-link.db -o $(BUILD)/demo/gray-link.html --force
	@echo
	@echo "The run:     $(BUILD)/demo/gray-link.db     (try: $(BIN)/dyetrace show $(BUILD)/demo/gray-link.db)"
	@echo "The report:  $(BUILD)/demo/gray-link.html   (open it in a browser)"
	@echo "To watch it: make viewer && $(BIN)/dyetrace-viewer $(BUILD)/demo/gray-link.db"

test: ## Build all and run every test, those of core, store and reader also under sanitizers
	$(call packages,build ns3 report gui test lab)
	$(call configure,release,$(BUILD))
	$(call build,release)
	$(call configure,asan,$(BUILD)/asan)
	$(call build,asan)
	@ctest --preset all

test-ns3: ## Build this repository inside your own ns-3 tree and run its tests there: make test-ns3 NS3_SRC=DIR
	$(call packages,build)
	@[ -n "$(NS3_SRC)" ] || { echo "make test-ns3 needs NS3_SRC=DIR, an ns-3 source tree (3.35 or later)" >&2; exit 2; }
	@python3 tests/ns3-module/in_tree.py --build $(BUILD) --jobs $(JOBS) "$(NS3_SRC)"

test-mpi: ## Run one fabric on one MPI rank and on two, and compare: make test-mpi [NS3_MPI=PREFIX, else such an ns-3 is built once]
	$(call packages,build mpi)
	@python3 tests/ns3-module/mpi.py --build $(BUILD)/mpi --jobs $(JOBS) $(if $(NS3_MPI),--prefix "$(NS3_MPI)") $(FLAGS)

check: ## Format, clang-tidy, arrows between folders, then all tests and sanitizers
	$(call packages,build ns3 report gui test lab check)
	@python3 tests/house/format.py
	@python3 tests/house/arrows.py
	@python3 tests/house/spdx.py
	$(call configure,tidy,$(BUILD)/tidy)
	$(call build,tidy,dyetrace_ns3_headers)
	@python3 tests/house/tidy.py --build $(BUILD)/tidy --jobs $(JOBS)
	@$(MAKE) test

viewer: ## Build the viewer (needs Qt, not ns-3)
	$(call packages,build gui)
	$(call configure,release,$(BUILD))
	$(call build,release,dyetrace-viewer)
	@echo "Run: $(BIN)/dyetrace-viewer RUN.db"

host: ## Build the daemon for Linux hosts (needs neither ns-3 nor Qt)
	$(call packages,build)
	$(call configure,release,$(BUILD))
	$(call build,release,eppcd)
	@echo "Run: $(BIN)/eppcd --help"

lab: host ## Two hosts in network namespaces, a known loss between them, and what was measured (LAB=require: never skip)
	$(call packages,lab)
	@host/lab/run-lab || { status=$$?; [ $$status = 77 ] && [ "$$LAB" != require ]; }

bench: ## Run the benchmarks, or those named: make bench BENCH="fabric"
	$(call packages,build ns3 bench test)
	$(call configure,release,$(BUILD))
	$(call build,release)
	@python3 tests/bench/run.py --build $(BUILD) $(BENCH)

bench-sim: ## How fast the simulated fabric is, beside ns-3's own models, in one table
	@$(MAKE) bench BENCH=simulation

docs: ## Build the guides (Sphinx) and the reference of the API (Doxygen) into build/docs
	$(call packages,docs)
	@/usr/bin/sphinx-build -q -W --keep-going -b html docs $(BUILD)/docs
	@mkdir -p $(BUILD)/docs/api && doxygen docs/Doxyfile
	@echo "Open: $(BUILD)/docs/index.html and $(BUILD)/docs/api/html/index.html"

fuzz: ## Build the fuzz targets (clang 16, libFuzzer) and run each for FUZZ_SECONDS (default 60)
	$(call packages,build test fuzz)
	$(call configure,fuzz,$(BUILD)/fuzz)
	$(call build,fuzz,fuzzers)
	@tests/fuzz/run.sh $(BUILD)/fuzz $(or $(FUZZ_SECONDS),60)

explore: ## Search what two engines can come to, further than make test does (minutes; EXPLORE="--disturbances 2 --advances 3")
	$(call packages,build test)
	$(call configure,release,$(BUILD))
	$(call build,release,explore)
	@$(BUILD)/tests/bin/explore $(or $(EXPLORE),--both-ways 1 --disturbances 1 --advances 2 --also --both-ways 0 --disturbances 2 --advances 3)

format: ## Bring all sources into the one format
	$(call packages,check)
	@python3 tests/house/format.py --fix

clean: ## Remove all that was built
	rm -rf $(BUILD)
