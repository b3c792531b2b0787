# `make demo` runs Lectern with demo data, `make test` tests all of it. Both install what they need into .venv.
# Only Python 3.11 or newer and make are needed; PYTHON=/path/to/python3.12 chooses another Python.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
# The demo needs fewer packages; if all are installed, it uses those.
INSTALLED_FOR_DEMO := $(if $(wildcard $(INSTALLED)),$(INSTALLED),.venv/installed-for-demo)

.PHONY: demo test exhaustive mutants rehearse hostile api-fuzz api-bytes lint bench frozen lock clean

demo: $(INSTALLED_FOR_DEMO)
	@exec $(BIN)/python -m demo

# For example: make test ARGS="payments -k refund"
test: $(INSTALLED)
	@$(BIN)/python -m pytest -n 3 $(ARGS)

# Every sequence of six happenings to money on the pure rules, 100,000 histories of accounts with late commits, and 2,600
# random sequences on PostgreSQL: an hour or so. `make test` goes four deep, and makes a tenth of the others.
exhaustive: export EXHAUSTIVE_DEPTH ?= 6
exhaustive: export LEDGER_SCHEDULES ?= 250
exhaustive: $(INSTALLED)
	@$(BIN)/python -m pytest --noconftest -p no:django -p no:xdist -s payments/tests/test_every_sequence.py
	@$(BIN)/python -m pytest -s ledger/tests/test_checkpoints.py -k no_late_commit
	@MONEY_SEQUENCES=2000 SUBSCRIPTION_SEQUENCES=200 $(BIN)/python -m pytest -n 2 \
		payments/tests/test_money_machine.py subscriptions/tests/test_money_machine.py

# Changes the rules of money in a thousand small ways, each of which a test must notice; about ten minutes.
mutants: $(INSTALLED)
	@$(BIN)/python -m tests.mutants

# Runs the tests of payments at the sandbox under another version of Stripe's API and lists what breaks only there, for
# example: make rehearse STRIPE_API_VERSION=2026-09-30.endive. Ten minutes or so; ARGS chooses tests.
rehearse: export STRIPE_API_VERSION ?= 2026-11-18.endive
rehearse: $(INSTALLED)
	@$(BIN)/python -m tests.rehearsal $(ARGS)

# Sends every senseless text to every address, list and form of the site and its admin; five minutes or so. `make test`
# sends a few to each.
hostile: export HOSTILE_TEXTS = all
hostile: $(INSTALLED)
	@$(BIN)/python -m pytest -n 2 tests/test_hostile_addresses.py

# Sends requests of every kind to every endpoint as each role, values at all boundaries included; half an hour or so.
# `make test` sends a few.
api-fuzz: export API_FUZZ_EXAMPLES ?= 50
api-fuzz: export API_FUZZ_PHASES ?= examples,coverage,fuzzing,stateful
api-fuzz: $(INSTALLED)
	@$(BIN)/python -m pytest tests/api/test_fuzzing.py

# Cuts the connection after every single byte of each request and reply that have an effect; two hours or so.
# `make test` cuts where a part may pass for the whole.
api-bytes: export API_BYTES = all
api-bytes: $(INSTALLED)
	@$(BIN)/python -m pytest -n 2 tests/api/test_every_byte.py

lint: export LECTERN_ENV = development
lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/mypy --config-file sandbox/mypy.ini sandbox
	$(BIN)/lint-imports
	$(BIN)/djlint templates sandbox/templates --lint --quiet
	$(BIN)/python -W ignore manage.py makemigrations --check --dry-run
	env $$($(BIN)/python .ci/production_environment.py) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(INSTALLED)
	@$(BIN)/python -m benchmarks $(ARGS)

# Compares a day on which Stripe does not answer with the same day with Stripe; FROZEN_MINUTES=1 for a short run.
frozen: $(INSTALLED)
	@$(BIN)/python -m benchmarks frozen

# Compiles the *.in lists into the pinned *.txt lists, for every platform and every Python from 3.11 on.
lock:
	@test -x .local/uv/bin/uv || ($(PYTHON) -m venv .local/uv && .local/uv/bin/pip install --quiet uv)
	.local/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" --upgrade requirements.in -o requirements.txt
	.local/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" --upgrade requirements-dev.in -o requirements-dev.txt

# Removes everything that was installed, and all of the demo's data.
clean:
	@cat .local/*/elsewhere 2>/dev/null | xargs rm -rf
	rm -rf .venv .local

.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) demo/installing.py .venv everything
	@touch $@

.venv/installed-for-demo: requirements.txt requirements-dev.txt
	@$(PYTHON) demo/installing.py .venv demo
	@touch $@
