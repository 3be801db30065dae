.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help demo test test-cluster test-api-server test-cluster-slow cluster-binaries setup

help:
	@echo 'make demo   install what is missing, build, and migrate a real VM over real OVN'
	@echo 'make test   install what is missing, build, and run all checks and tests'
	@echo 'make test-cluster   tests on a real Kubernetes with nodes, KubeVirt, Knative and OVN, which are built once'
	@echo 'make test-api-server   only those that need no more than a kube-apiserver and Knative'"'"'s own event source'
	@echo 'make test-cluster-slow   longer ones on the whole cluster: faults, drains, upgrades, whatever ends it'
	@echo 'All need Debian 12 and root. More: npm run lab -- --help'

demo: setup
	@node --conditions=ovn-handover-source lab/main.ts migrate --json lab/out/result.json --report

# What only the tests need is installed for them alone.
test test-cluster test-api-server: SETUP_FOR = tests
test: setup
	@node --conditions=ovn-handover-source scripts/test.ts

# Its programs first, since that tells at once what is missing for it.
test-cluster: cluster-binaries setup
	@node --conditions=ovn-handover-source --no-warnings lab/cluster/cli.ts build
	@node --conditions=ovn-handover-source --no-warnings scripts/test.ts cluster

test-api-server: cluster-binaries setup
	@node --conditions=ovn-handover-source scripts/test.ts api-server

test-cluster-slow: cluster-binaries setup
	@node --conditions=ovn-handover-source --no-warnings lab/cluster/cli.ts build
	@node --conditions=ovn-handover-source --no-warnings scripts/test.ts slow

cluster-binaries:
	@lab/cluster/binaries.sh etcd kube-apiserver kubectl apiserver_receive_adapter func kube-state-metrics

setup:
	@lab/setup.sh $(SETUP_FOR)
	@echo 'setup: building the functions'
	@node --conditions=ovn-handover-source scripts/build.ts
