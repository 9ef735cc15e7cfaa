# `make run` starts everything on this machine; `make test` is what a change must pass. The work is in scripts/.

.PHONY: help run test lint coverage scenarios otlp-test bench fuzz attacks-in-container languages faults soak compose-test verify loadtest gates clean

help:
	@echo "make run       build, start the whole stack with demo users, show three sample workflows; Ctrl-C ends it"
	@echo "make test      lints and every test; SETUP=1 also installs and starts Docker (as root)"
	@echo "make lint      layout, lints, text, dependencies, shell scripts; COMMITS=range for the subjects of commits"
	@echo "make coverage  line coverage under target/coverage"
	@echo "make scenarios goals of newcomers with their expected outcomes; CORPUS=file or folder, tests/scenarios by default"
	@echo "make otlp-test  the traces that programs built with the feature otlp export"
	@echo "make bench     latencies and rates, beside this machine's floors; WORKFLOWS=n in the log, 50000 by default"
	@echo "make loadtest  load on a stack of its own, with a report in reports/loadtest; SCENARIO=file, loadtest/scenarios/default.toml by default"
	@echo "make gates     the quality gates, with a report in reports/quality-gates.json; GATE=name, all six by default"
	@echo "make fuzz      a minute each of coverage-guided fuzzing of the sandbox's frames, files and reports"
	@echo "make attacks-in-container  every attack on the sandbox of a worker in an unprivileged container; needs Docker and root"
	@echo "make languages  tests and attacks of the runtimes that are not built by default; RUNTIMES=names, all by default (as root)"
	@echo "make faults    every fault once against a cluster of three brokers; prints which promises held (as root: all rows)"
	@echo "make soak      random schedules of faults; HOURS=n, 1 by default; FIRST=seed"
	@echo "make compose-test  the stack of docker-compose.yml, built without a registry: requests, crashes, scaling (as root)"
	@echo "make verify    the slow suites: compose-test, attacks-in-container, languages, scenarios, otlp-test, faults, fuzz, coverage (as root)"
	@echo "make clean     remove what was built; data/ stays"

run:
	@scripts/run.sh

test:
	@scripts/test.sh

lint:
	@scripts/lint.sh

coverage:
	@scripts/coverage.sh

scenarios:
	@scripts/scenarios.sh $(CORPUS)

otlp-test:
	@scripts/otlp-test.sh

bench:
	@scripts/bench.sh $(WORKFLOWS)

loadtest:
	@scripts/loadtest.sh $(SCENARIO)

gates:
	@scripts/gates.sh $(GATE) $(if $(METRICS_URL),--metrics-url $(METRICS_URL))

fuzz:
	@sandbox/fuzz/run.sh

attacks-in-container:
	@sandbox/container/attacks.sh

languages:
	@scripts/languages.sh $(RUNTIMES)

faults:
	@scripts/faults.sh matrix

soak:
	@scripts/faults.sh seeds --hours $(or $(HOURS),1) --first $(or $(FIRST),1)

compose-test:
	@scripts/compose-test.sh

verify: compose-test attacks-in-container languages scenarios otlp-test faults fuzz coverage

clean:
	cargo clean
