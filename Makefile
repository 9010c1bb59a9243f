# SPDX-License-Identifier: GPL-2.0
# The kernel module is described in Kbuild; this file is for people.

KDIR ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
DESTDIR ?=
INSTALL_MOD_PATH ?= $(DESTDIR)
MLB_SELFTEST ?= 0
export PREFIX DESTDIR

ifeq ($(MLB_SELFTEST),1)
override KCFLAGS += -DMLB_SELFTEST
endif

kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(KCFLAGS),KCFLAGS="$(KCFLAGS)")

all: modules userland

modules: $(KDIR)
	$(kbuild) modules

userland:
	$(MAKE) -C userland

$(KDIR):
	@echo "No kernel headers in $(KDIR)." >&2
	@echo "Install them (Debian: apt-get install linux-headers-$$(uname -r))," >&2
	@echo "or name a kernel's build directory: make KDIR=DIRECTORY" >&2
	@echo "\"make userland\" needs none." >&2
	@exit 1

install: modules userland
	$(kbuild) INSTALL_MOD_PATH="$(abspath $(INSTALL_MOD_PATH))" modules_install
	$(MAKE) -C userland install

uninstall:
	$(MAKE) -C userland uninstall

clean:
	-[ ! -d "$(KDIR)" ] || $(kbuild) clean
	$(MAKE) -C userland clean
	$(MAKE) -C selftests clean
	$(RM) -r build

check:
	scripts/check.sh

unit:
	$(MAKE) -C selftests/unit check
	$(MAKE) -C userland check
	selftests/mptcp/report_test.py

fuzz:
	scripts/fuzz.sh

fuzz-coverage:
	scripts/fuzz.sh -c

test:
	scripts/test.sh

coverage:
	scripts/coverage.sh

soak:
	scripts/soak.sh

demo:
	scripts/demo.sh

bench-cluster:
	scripts/bench-cluster.sh

deb:
	scripts/deb.sh

test-cluster:
	scripts/test-cluster.sh

test-real:
	scripts/test-real.sh

test-mptcp:
	scripts/test-mptcp.sh -w selftests/mptcp/report.md

help:
	@echo "make                 module for the running kernel, and user space"
	@echo "make KDIR=DIR        module for the kernel built in DIR"
	@echo "make modules|userland  one of the two"
	@echo "make install         install both (PREFIX=$(PREFIX), DESTDIR, INSTALL_MOD_PATH)"
	@echo "make clean           remove everything that was built"
	@echo "make unit            unit tests"
	@echo "make check           static checks"
	@echo "make fuzz            fuzz the parsers, FUZZ_SECONDS=60 each; their coverage"
	@echo "make fuzz-coverage   the latter alone, by the seeds and what was found"
	@echo "make test            all tests, on every kernel (root; Debian 12)"
	@echo "make coverage        how much of the module the selftests reach (root; Debian 12)"
	@echo "make soak            SOAK_SECONDS=3600 of connections: what stays in use (root; Debian 12)"
	@echo "make demo            see mlb at work on three virtual machines (root; Debian 12)"
	@echo "make test-cluster    three to five machines with the packages (root; Debian 12)"
	@echo "make test-real       curl, nginx, HAProxy, Go, iperf3, kernel against kernel"
	@echo "make test-mptcp      the kernel's own MPTCP selftests, with mlb (root; Debian 12)"
	@echo "make bench-cluster   measure how nodes keep in step (root; Debian 12)"
	@echo "make deb             Debian packages in build/deb"
	@echo "MLB_SELFTEST=1       with the module's own unit tests, run when it is loaded"

.PHONY: all modules userland install uninstall clean check unit fuzz fuzz-coverage coverage soak test demo deb test-cluster test-real test-mptcp bench-cluster help
