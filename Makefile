# Every target sets up what it needs; `make demo` and `make test` work on a bare machine with Python 3.11.

.PHONY: help demo test lint bench chaos misp docs screenshots setup wheel clean

help:            ## what can be made
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo:            ## run the Belgian demonstration network and open on a live map
	@tools/setup demo
	@.venv/bin/port2port demo $(ARGS)

test:            ## everything: style, types, arrows, tests, browser, and the demonstration's own check
	@tools/setup test
	@tools/test $(ARGS)

lint:            ## ruff, mypy, import-linter
	@tools/setup lint
	@tools/lint

bench:           ## our figures beside their floors, as a table (ARGS=--long for the long form)
	@tools/setup bench
	@.venv/bin/port2port bench all $(ARGS)

chaos:           ## break a network on purpose, the long form: a thousand histories, planted bugs, real processes
	@tools/setup test
	@.venv/bin/port2port chaos simulate --histories 1000
	@.venv/bin/port2port chaos mutants
	@for seed in 1 2 3; do .venv/bin/port2port chaos processes --seconds 60 --nodes 9 --seed $$seed || exit 1; done

misp:            ## hold the MISP mapping against MISP's own libraries, in an environment of their own
	@tools/setup test
	@tools/misp_oracle

docs:            ## write the generated reference pages (commands, settings, entries)
	@tools/setup demo
	@.venv/bin/python tools/generate_reference.py

screenshots:     ## pictures of the main screens into artefacts/
	@tools/setup test
	@.venv/bin/python tools/screenshots.py

wheel:           ## a wheel with the browser bundle and the base map inside
	@tools/setup demo
	@.tools/bin/uv build --wheel

clean:           ## remove what was built (not the demonstration's data: port2port demo --reset)
	rm -rf .venv .tools .cache dist artefacts src/port2port/picture/static src/port2port/web/static/build
