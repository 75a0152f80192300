# make demo: build everything and see it work. make test: everything that CI checks.
.PHONY: build demo test check clean

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

clean:
	rm -rf .venv target src/branes/_bin/brane-* src/branes/_guests/python.*
