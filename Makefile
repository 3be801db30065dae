.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help demo test test-cluster test-nodes cluster-binaries setup

help:
	@echo 'make demo   install what is missing, build, and migrate a real VM over real OVN'
	@echo 'make test   install what is missing, build, and run all checks and tests'
	@echo 'make test-cluster   the same on a real kube-apiserver, with Knative'"'"'s own event source'
	@echo 'make test-nodes   tests on a real Kubernetes with nodes, KubeVirt and Knative, which are built once'
	@echo 'All need Debian 12 and root. More: npm run lab -- --help'

demo: setup
	@node --conditions=source lab/main.ts migrate --json lab/out/result.json
	@node --conditions=source lab/main.ts report lab/out/result.json
	@echo 'The figures: lab/out/result.json'

# What only the tests need is installed for them alone.
test: SETUP_FOR = tests
test: setup
	@node --conditions=source scripts/test.ts

# Its programs first, since that tells at once what is missing for it.
test-cluster: cluster-binaries setup
	@node --conditions=source scripts/test.ts cluster

test-nodes: SETUP_FOR = tests
test-nodes: setup
	@node --conditions=source --no-warnings lab/cluster/cli.ts build
	@node --conditions=source scripts/test.ts nodes

cluster-binaries:
	@lab/cluster/binaries.sh etcd kube-apiserver kubectl apiserver_receive_adapter func

setup:
	@lab/setup.sh $(SETUP_FOR)
	@echo 'setup: building the functions'
	@node --conditions=source scripts/build.ts
