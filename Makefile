# make demo: build everything and see it work. make test: everything that CI checks.
# make conformance SUITE=DIR: a copy of WebAssembly/wasi-testsuite, branch prod/testsuite-base, in branes and in wasmtime.
.PHONY: build demo test check conformance clean

build:
	scripts/bootstrap
	scripts/build

demo: build
	scripts/demo

test: build
	scripts/check
	scripts/test

check: build
	scripts/check

conformance: build
	@scripts/conformance $(if $(SUITE),'$(SUITE)',$(error SUITE is not set: make conformance SUITE=DIR))

clean:
	rm -rf .venv target src/branes/_bin/brane-* src/branes/_guests/python.*
