# SPDX-License-Identifier: Apache-2.0
# make watch: see every AI tool on this host, live.  make test: all tests.
# Both set up everything they need first, and say what they install.

.DELETE_ON_ERROR:
SHELL := /bin/bash
SUDO  := $(if $(filter 0,$(shell id -u)),,sudo)
VENV  := .venv
BIN   := $(VENV)/bin
PREFIX := /opt/agent-sensor
FUZZ_S := 60

# BCC and its libbpf, the venv module, and what the kernel tests build and run with.
RUN_PACKAGES  := python3 python3-venv python3-bpfcc libbpf1
TEST_PACKAGES := gcc libc6-dev iproute2 util-linux openssl ca-certificates tmux
FUZZ_PACKAGES := clang libclang-rt-dev
VAGRANT_PACKAGES := vagrant vagrant-libvirt
LIBVIRT_PACKAGES := libvirt-daemon-system libvirt-clients dnsmasq-base iptables rsync openssh-client
VM_PACKAGES   := qemu-system-x86 qemu-utils busybox-static kmod zstd debian-archive-keyring mmdebstrap e2fsprogs
KERNELS       := 6.1 6.12 5.10 debian13 newest

.PHONY: help watch test install lint bench fuzz e2e vm-test vm-run system-test vagrant-validate vagrant-test \
	venv packages test-packages vm-packages fuzz-packages vagrant-packages libvirt-packages clean no-such-kernel

help: ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

watch: venv ## watch AI tools on this host until Ctrl-C; observes, blocks nothing
	$(SUDO) $(BIN)/agent-sensor watch $(ARGS)

test: venv test-packages ## all tests but e2e and vm; kernel tests need root
	$(SUDO) $(BIN)/python -m pytest -m "not e2e and not vm" $(ARGS)

install: packages ## a copy in PREFIX (/opt/agent-sensor), the command on PATH, and the service's files
	$(SUDO) /usr/bin/python3 -m venv --system-site-packages $(PREFIX)
	$(SUDO) $(PREFIX)/bin/pip install --quiet --upgrade .
	$(SUDO) ln -sf $(PREFIX)/bin/agent-sensor /usr/local/bin/agent-sensor
	$(SUDO) $(PREFIX)/bin/agent-sensor install

lint: venv ## ruff, mypy, formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

e2e: venv test-packages ## install real AI tools from npm and PyPI and watch each
	$(SUDO) $(BIN)/python -m pytest -m e2e $(ARGS)

bench: venv test-packages ## measure the figures of docs/overhead.md on this machine
	$(SUDO) $(BIN)/python tests/bench $(ARGS)

fuzz: venv fuzz-packages ## libFuzzer on the parsers that run in the kernel, FUZZ_S=60 seconds each
	$(BIN)/python tests/fuzz $(FUZZ_S)

vm-test: venv test-packages vm-packages ## kernel tests on Debian's kernels in guests too; ALL=1: on all of them
	$(SUDO) env PYTHONPATH=tests $(BIN)/python -m vm test $(if $(ALL),--all) $(if $(HOST_JUNIT),--host-junit $(HOST_JUNIT)) $(ARGS)

vm-run: $(if $(filter-out $(KERNELS),$(KERNEL)),no-such-kernel) venv test-packages vm-packages ## one command in one guest: KERNEL=6.12 RUN='uname -r'
	$(SUDO) env PYTHONPATH=tests $(BIN)/python -m vm run $(ARGS) $(or $(KERNEL),6.12) "$$RUN"

no-such-kernel:
	@echo "make: KERNEL=$(KERNEL): it is one of $(KERNELS)" >&2; exit 2

# Vagrant asks VirtualBox for its version before it looks at what is said of it; where there is none, a stand-in answers.
vagrant-validate: vagrant-packages ## whether the Vagrantfile is one, for both providers
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	printf '#!/bin/sh\necho 7.0.0r0\n' >$$scratch/VBoxManage && chmod +x $$scratch/VBoxManage && \
	for provider in libvirt virtualbox; do \
		echo "$$provider:" && PATH=$$PATH:$$scratch VAGRANT_DEFAULT_PROVIDER=$$provider VAGRANT_CHECKPOINT_DISABLE=1 \
		VAGRANT_HOME=$$scratch/home VAGRANT_DOTFILE_PATH=$$scratch/dot vagrant validate || exit 1; \
	done

vagrant-test: venv vm-packages vagrant-packages libvirt-packages ## the README's walk through a VM, in an emulated guest; 40 minutes on a busy machine
	$(SUDO) env PYTHONPATH=tests $(BIN)/python -m vm.vagrant

system-test: venv vm-packages ## install, crash, upgrade, reboot and uninstall in a guest with systemd; MINUTES=60 of builds
	$(SUDO) env $(if $(MINUTES),AGENT_SENSOR_BUILD_MINUTES=$(MINUTES)) $(BIN)/python -m pytest -m vm -s -v tests/system $(ARGS)

venv: $(VENV)/.ready ## .venv with agent-sensor in it

# The venv sees the system's bcc, hence /usr/bin/python3 and no other.
$(VENV)/.ready: pyproject.toml Makefile | packages
	@echo "venv: $(VENV) from /usr/bin/python3; pip installs agent-sensor, its dependencies and the test tools"
	/usr/bin/python3 -m venv --system-site-packages --clear $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable . --group dev
	@touch $@

packages:
	@$(call apt-install,$(RUN_PACKAGES))

test-packages:
	@$(call apt-install,$(TEST_PACKAGES))

fuzz-packages:
	@$(call apt-install,$(FUZZ_PACKAGES))

vm-packages:
	@$(call apt-install,$(VM_PACKAGES))

vagrant-packages:
	@$(call apt-install,$(VAGRANT_PACKAGES))

libvirt-packages:
	@$(call apt-install,$(LIBVIRT_PACKAGES))

# Installs what is missing of $(1), and says so; does nothing where all is there.
define apt-install
missing=$$(for p in $(1); do dpkg-query -Wf '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
if [ -n "$$missing" ]; then \
	echo "apt: installs" $$missing; \
	$(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
fi
endef

clean: ## remove the venv and what tests left in the checkout
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
