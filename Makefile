# Targets for people. `make` alone says what there is; .ci/run is the gate.
.DEFAULT_GOAL := help
.PHONY: help build demo test race check fmt lint layers fuzz simulate dist deploy-check update ci

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/crossdock, without C
	CGO_ENABLED=0 go build -trimpath -o bin/crossdock ./cmd/crossdock

demo: ## Play the spare parts story on this machine
	go run ./cmd/crossdock demo

test: ## Run all tests
	go test ./...

race: ## Run all tests with the race detector
	go test -race -timeout 15m ./...

check: fmt lint layers race ## What has to pass before a commit

fmt: ## Format all Go files
	gofmt -w $$(git ls-files '*.go')

lint: ## go vet and staticcheck
	go vet ./...
	go build -C tools -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck ./...

layers: ## Hold the floors and fences between packages
	go test -count=1 -run '^TestLayers' ./cmd/crossdock

fuzz: ## Run every fuzz target for FUZZTIME (10s)
	@git ls-files '*_test.go' | xargs grep -H '^func Fuzz' | sed -E 's#/[^/]+_test\.go:func (Fuzz[A-Za-z0-9_]*).*# \1#' | \
	while read dir target; do echo "$$dir $$target"; \
		go test ./$$dir -run '^$$' -fuzz "^$$target\$$" -fuzztime $${FUZZTIME:-10s} || exit 1; done

simulate: ## Play N seeds (500) from SEED (1) of whole replicas on a simulated clock
	go test -count=1 -timeout 60m ./runtime/simulate -first $${SEED:-1} -seeds $${N:-500}

dist: ## Build archives for linux, darwin and windows in dist/
	deploy/dist.sh

deploy-check: ## Hold the Dockerfile, Compose, Kubernetes and systemd files to their parsers
	cd deploy/check && go test ./...

sbom: build ## Write bin/crossdock.cdx.json: what the binary is made of (CycloneDX)
	go run -C tools ./sbom ../bin/crossdock > bin/crossdock.cdx.json
	@test "$$(grep -c '"purl"' bin/crossdock.cdx.json)" = "$$(( $$(go version -m bin/crossdock | grep -c '^	dep') + 1 ))" || \
		{ echo "the document and the binary name different modules"; exit 1; }
	@echo "bin/crossdock.cdx.json: $$(grep -c '"purl"' bin/crossdock.cdx.json) components"

reproducible: ## Build twice, from two folders and with two caches, and compare
	tools/reproducible.sh

sandbox: ## Build the WebAssembly program of dsl/sandbox anew, after a change of dsl/jq
	go run -C tools ./sandbox ..

sandbox-check: ## See that this program is what its sources give
	go run -C tools ./sandbox -check ..

vuln: ## Look for known vulnerabilities that are called, where their database can be reached
	@go build -C tools -o ../bin/govulncheck golang.org/x/vuln/cmd/govulncheck
	@if curl -sfI --max-time 10 https://vuln.go.dev/index/modules.json > /dev/null; then bin/govulncheck ./...; \
	else echo "SKIPPED: vuln.go.dev cannot be reached from here; run it where it can"; fi

update: ## Write goldens and the generated parts of the docs anew
	go test ./docs -update

ci: ## The whole gate
	.ci/run

include bench/Makefile
