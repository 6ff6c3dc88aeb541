# xmpp-authd: `make demo` shows it at work, `make check` proves it; both install what they need first.

VERSION := 0.1.0
PREFIX  ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,/etc)
BUILD   ?= build
CC      ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif

PACKAGES := libevent libcrypto inih sqlite3

# The shared store of spent tokens: built where hiredis is there; REDIS=0 leaves it out.
REDIS ?= $(if $(shell pkg-config --exists hiredis 2>/dev/null && echo yes),1,0)
ifeq ($(REDIS),1)
PACKAGES += hiredis
override CPPFLAGS += -DHAVE_REDIS
endif

# Names of users beyond ASCII, where they must be prepared here: built where ICU is there; ICU=0 leaves it out.
ICU ?= $(if $(shell pkg-config --exists icu-uc 2>/dev/null && echo yes),1,0)
ICU_PACKAGE :=
ifeq ($(ICU),1)
ICU_PACKAGE := icu-uc
override CPPFLAGS += -DHAVE_ICU
endif

# xmpp-authctl doctor, which reads the chat servers' files, and check-minter; DOCTOR=0 leaves them out. Neither the daemon nor the relay is
# linked with any of this.
DOCTOR ?= $(if $(shell pkg-config --exists yaml-0.1 lua5.4 libcurl jansson 2>/dev/null && echo yes),1,0)
DOCTOR_PACKAGES :=
ifeq ($(DOCTOR),1)
DOCTOR_PACKAGES := yaml-0.1 lua5.4 libcurl jansson
override CPPFLAGS += -DHAVE_DOCTOR
endif

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef
OPTIMIZE ?= -O3 -g

# What makes a slip in memory end the process and not let somebody in; check-hardening looks for all of it in the programs.
# What the compiler does not know, here or on this processor, is left out; Fortify too, where nothing is optimized or where
# whoever builds has a level of their own. Together they cost a verdict 3% of our own instructions. Not among them:
# -ftrivial-auto-var-init=zero would cost 15%, where the analyzers look for what is read before it is written;
# -fzero-call-used-regs 6%, against chains of code, which CET is there for.
accepted = $(shell $(CC) -Werror -O1 $(1) -include stdio.h -x c -c -o /dev/null /dev/null 2>/dev/null && echo '$(1)')
ifeq ($(filter -O0,$(OPTIMIZE) $(CFLAGS))$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),)
FORTIFY := $(or $(call accepted,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif
HARDENED  := -fstack-protector-strong $(call accepted,-fstack-clash-protection) $(call accepted,-fcf-protection=full) $(FORTIFY)
HARDENING := -fPIE $(HARDENED)
# Small structs are cleared and copied by a few stores: gcc takes a string instruction otherwise, which costs more to begin
# than all of them, some 4% of a verdict.
STORES := unrolled_loop:256:noalign,libcall:-1:noalign
TUNING := $(call accepted,-mmemset-strategy=$(STORES) -mmemcpy-strategy=$(STORES))
# The programs are optimized as a whole, where compiler and linker can: what is small is inlined across files, which takes a
# tenth off the time of many questions at once. -fno-lto in CFLAGS, or WHOLE=, leaves it out. The objects hold plain code too,
# of which the unit tests are linked, for they put calls of their own in the place of others.
linked = $(shell echo 'int main(void) { return 0; }' | $(CC) -Werror -O1 $(1) -x c -o /dev/null - 2>/dev/null && echo '$(1)')
ifeq ($(filter -O0 -fno-lto,$(OPTIMIZE) $(CFLAGS) $(LDFLAGS)),)
WHOLE := $(call linked,-flto=auto -ffat-lto-objects)
endif
IN_PARTS := $(if $(WHOLE),-fno-lto)
# For src/. The second part is gcc's: clang takes an enum for unsigned, and its sanitizers make frames larger.
STRICT := -Wfloat-equal -Wdouble-promotion -Wold-style-definition -Wredundant-decls -Wmissing-declarations -Wbad-function-cast \
          -Walloca -Wdate-time -Wunused-macros \
          $(call accepted,-Wconversion -Wsign-conversion -Warith-conversion -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
          -Wjump-misses-init -Wformat-signedness -Wframe-larger-than=163840)
override CPPFLAGS += -D_GNU_SOURCE -DXMPP_AUTHD_VERSION='"$(VERSION)"' -Isrc
override LDFLAGS += -pthread -pie -Wl,-z,relro,-z,now -Wl,--as-needed

# SANITIZE=1 builds the same programs under AddressSanitizer and UndefinedBehaviorSanitizer.
ifeq ($(SANITIZE),1)
HARDENING := -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -fPIE
OPTIMIZE  := -O1 -g
endif

COMPILE = $(CC) -std=c11 $(WARNINGS) $(OPTIMIZE) $(TUNING) $(HARDENING) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK    = $(CC) $(OPTIMIZE) $(TUNING) $(HARDENING) $(CFLAGS) $(WHOLE) $(LDFLAGS)

# V=1 shows the commands.
ifeq ($(V),1)
SAY := @:
else
SAY := @echo
.SILENT:
endif

# Each room knows only the rooms to the left of it.
ROOMS    := base token store wire config daemon doctor ctl relay
SOURCES  := $(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c))
ifneq ($(REDIS),1)
SOURCES  := $(filter-out $(addprefix src/store/redis_,store.c link.c check.c denials.c events.c),$(SOURCES))
endif
ifneq ($(DOCTOR),1)
SOURCES  := $(filter-out src/doctor/%.c src/ctl/doctor.c src/ctl/round_trips.c src/ctl/finding_report.c \
             src/ctl/check_minter.c,$(SOURCES))
endif
OBJECTS  := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
PROGRAMS := xmpp-authd xmpp-authctl xmpp-extauth
UNITS    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

objects_of = $(filter $(foreach room,$(1),$(BUILD)/obj/$(room)/%),$(OBJECTS))

.PHONY: all
all: build-packages $(PROGRAMS:%=$(BUILD)/%)

.PHONY: programs
programs: $(PROGRAMS:%=$(BUILD)/%)

.PHONY: build-packages test-packages web-packages minter-packages
build-packages:
	@tools/install-packages build
test-packages:
	@tools/install-packages test
web-packages:
	@tools/install-packages web
minter-packages:
	@tools/install-packages minters

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(COMPILE) $(STRICT) $(WHOLE) $(if $(findstring /relay/,$@)$(findstring xmpp-extauth,$@),,$(shell pkg-config --cflags $(PACKAGES) $(DOCTOR_PACKAGES) 2>/dev/null | sed 's/-I/-isystem /g')) -c -o $@ $<

$(BUILD)/xmpp-authd: $(BUILD)/obj/xmpp-authd.o $(call objects_of,base token store wire config daemon)
	$(SAY) '  LINK  $@'
	$(LINK) -o $@ $^ $$(pkg-config --libs $(PACKAGES) $(ICU_PACKAGE))

$(BUILD)/xmpp-authctl: $(BUILD)/obj/xmpp-authctl.o $(call objects_of,base token wire config doctor ctl)
	$(SAY) '  LINK  $@'
	$(LINK) -o $@ $^ $$(pkg-config --libs libcrypto inih $(ICU_PACKAGE) $(DOCTOR_PACKAGES))

# libc alone, so that it can be linked statically and dropped into any container.
$(BUILD)/xmpp-extauth: $(BUILD)/obj/xmpp-extauth.o $(call objects_of,relay)
	$(SAY) '  LINK  $@'
	$(LINK) -o $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(OBJECTS) Makefile
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(COMPILE) $(IN_PARTS) -Itests/unit $(shell pkg-config --cflags $(PACKAGES) cmocka 2>/dev/null) -o $@ $< $(OBJECTS) $(LDFLAGS) \
	    $$(pkg-config --libs $(PACKAGES) $(ICU_PACKAGE) $(DOCTOR_PACKAGES) cmocka)

# Those named so put functions of their own in the place of calls that are to fail, all that their header has.
FAILING_CALLS = $(shell sed -n 's/^FAILING..*, \([A-Za-z0-9_]*\), [-A-Z0-9_]*, E[A-Z]*,.*/\1/p; s/^FAILING_OPEN.\([a-z0-9]*\),.*/\1/p' tests/unit/failing_calls.h)
$(BUILD)/unit/test_failing_%: override LDFLAGS += $(FAILING_CALLS:%=-Wl,--wrap=%)

.PHONY: units
units: $(UNITS:%=$(BUILD)/unit/%)

-include $(shell find $(BUILD)/obj $(BUILD)/unit -name '*.d' 2>/dev/null)

# --- trying it -------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: all
	tools/demo $(BUILD)

# The whole login, from a web page to the chat.
.PHONY: demo-web
demo-web: all web-packages
	tools/demo-web $(BUILD)

# In the foreground, on a socket in $(BUILD)/run, with keys of its own.
.PHONY: run
run: all
	tools/run $(BUILD)

# --- proving it ------------------------------------------------------------------------------------------------------

PYTEST    := /usr/bin/python3 -m pytest -q -p no:cacheprovider
FILES     = $(shell tools/list-files)
C_FILES   = $(filter src/%.c src/%.h tests/%.c tests/%.h,$(FILES))
C_SOURCES = $(filter %.c,$(C_FILES))
SHELL_FILES = $(shell grep -lE '^\#!/(bin/sh|usr/bin/env bash)' $(filter tools/% tests/% .ci/%,$(FILES)))
# Each folder is a run of its own: they have helpers of the same names. Prosody and the browser are tried with the plain
# build alone, and the documents, whose sandbox LeakSanitizer does not work in: what they ask of the programs, the others
# ask under the sanitizers too.
PYTHON_TESTS    := vectors integration docs doors doctor e2e prosody browser minters metrics
# What takes longest comes last here and first above: a folder is not run twice at a time.
SANITIZED_TESTS := vectors doors doctor e2e integration
SANITIZED := $(BUILD)/sanitized
CLANG     := $(BUILD)/clang
STATIC    := $(BUILD)/static

.PHONY: check check-format check-analysis check-shell check-units check-python check-clang check-sanitizers check-bench
.PHONY: check-plain check-others check-timing check-hardening
check: test-packages
	$(MAKE) --no-print-directory check-format check-shell check-analysis
	$(MAKE) --no-print-directory programs units
	$(MAKE) --no-print-directory -j 2 --output-sync=recurse check-plain check-others
	echo 'check: everything passed'

check-plain:
	$(MAKE) --no-print-directory -j 1 check-hardening check-units check-python

check-others:
	$(MAKE) --no-print-directory -j 1 check-clang check-sanitizers check-fuzz check-timing check-mutation check-faults check-bench check-instructions

check-format:
	$(SAY) '  FORMAT'
	clang-format --dry-run -Werror $(C_FILES)

check-shell:
	$(SAY) '  SHELLCHECK'
	shellcheck $(SHELL_FILES)

# The version is a string, and would need quotes within quotes within quotes.
TIDY_FLAGS = -std=c11 $(filter-out -DXMPP_AUTHD_VERSION=%,$(CPPFLAGS)) -DXMPP_AUTHD_VERSION=__FILE__ -Itests/unit -Itests/bench -Itests/fuzz \
             $(shell pkg-config --cflags $(DOCTOR_PACKAGES) 2>/dev/null)
check-analysis:
	$(SAY) '  CLANG-TIDY'
	printf '%s\n' $(C_SOURCES) | xargs -P 2 -n 1 sh -c 'clang-tidy --quiet "$$@" -- $(TIDY_FLAGS) 2>/dev/null || exit 255' tidy
	$(SAY) '  CPPCHECK'
	cppcheck --enable=warning,performance,portability --inline-suppr --std=c11 --error-exitcode=1 --quiet -j 2 \
	    $(CPPFLAGS) src

# How the programs are built, looked up in the programs.
check-hardening: programs $(STATIC)/xmpp-extauth
	$(SAY) '  PYTEST tests/hardening ($(BUILD))'
	XMPP_AUTHD_BUILD=$(abspath $(BUILD)) XMPP_AUTHD_CC='$(CC)' $(PYTEST) tests/hardening

check-units: units
	status=0; for unit in $(UNITS:%=$(BUILD)/unit/%); do $$unit || status=1; done; exit $$status

TESTS := $(PYTHON_TESTS)
check-python: $(TESTS:%=check-tests-%)

# These wait more than they compute, so several of their files run at a time; PYTEST_JOBS=0 runs one after the other.
PYTEST_JOBS    ?= 3
PARALLEL_TESTS := integration doctor prosody
jobs_of         = $(if $(filter $(1),$(PARALLEL_TESTS)),-n $(PYTEST_JOBS) --dist loadfile)

# The same folder's tests never run twice at a time: some look at all processes of the machine.
check-tests-%: programs
	$(SAY) '  PYTEST tests/$* ($(BUILD))'
	XMPP_AUTHD_BUILD=$(abspath $(BUILD)) flock build/tests-$*.lock $(PYTEST) $(call jobs_of,$*) tests/$*

# The other compiler: everything builds without a warning, and the unit tests hold. And a libcrypto without its deprecated
# parts, for which there is a file of its own (src/token/keyed_hash_evp.c).
check-clang:
	$(MAKE) --no-print-directory CC=clang CPPFLAGS=-DOPENSSL_NO_DEPRECATED BUILD=$(CLANG) programs check-units

# The same tests again under AddressSanitizer and UndefinedBehaviorSanitizer; a report ends the process and fails the test.
check-sanitizers:
	$(MAKE) --no-print-directory CC=clang SANITIZE=1 BUILD=$(SANITIZED) TESTS='$(SANITIZED_TESTS)' programs check-units check-python

# Go, Java and C# too, whose compilers are too big to be fetched for every check.
.PHONY: check-minters
check-minters: minter-packages
	XMPP_AUTHD_MINTERS='python php node ruby go java csharp' $(MAKE) --no-print-directory check-tests-minters

# Whether the time to deny tells anything: statistics over many verdicts, in under a second.
$(BUILD)/timing/deny-time: tests/timing/deny_time.c $(call objects_of,base token) Makefile
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(COMPILE) $(WHOLE) -o $@ $< $(call objects_of,base token) $(LDFLAGS) $$(pkg-config --libs libcrypto $(ICU_PACKAGE)) -lm

# Optimized as a whole, it must not have a verifier of its own, made for what it asks.
check-timing: $(BUILD)/timing/deny-time
	! nm $< | grep 'token_verify\.'
	$<

# Each call that can fail is made to fail in turn; FAULT_STRIDE=25 tries the first three of each and every 25th. FAULT_SEED is what chance
# begins with. They wait more than they compute.
FAULT_STRIDE ?= 1
FAULT_SEED   ?= 1
FAULT_JOBS   ?= 4
.PHONY: faults check-faults
FAULT_TEST = XMPP_AUTHD_BUILD=$(abspath $(BUILD)) XMPP_AUTHD_FAULT_SHIM=$(abspath $(BUILD))/faults/fault_shim.so \
             XMPP_AUTHD_FAULT_SEED=$(FAULT_SEED) $(PYTEST) -n $(FAULT_JOBS)
FAULT_SHIM := $(addprefix tests/faults/,fault_shim.c fault_more.c)
$(BUILD)/faults/fault_shim.so: $(FAULT_SHIM) $(wildcard tests/faults/*.h tests/faults/*.def) Makefile
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -fPIC -shared -o $@ $(FAULT_SHIM)

faults: test-packages programs $(BUILD)/faults/fault_shim.so
	XMPP_AUTHD_FAULT_STRIDE=$(FAULT_STRIDE) $(FAULT_TEST) tests/faults

# The first call of each function in each scenario of a daemon that runs, with one error; and what once crashed, whole.
check-faults: programs $(BUILD)/faults/fault_shim.so
	$(SAY) '  FAULTS'
	XMPP_AUTHD_FAULT_STRIDE=0 $(FAULT_TEST) $(addprefix tests/faults/test_,running.py redis.py mended.py calls_known.py)

# The verifier and the replay rules changed one place at a time: do the unit tests notice? MUTATE='token/verify store/journal' tries
# these files alone.
MUTATE ?=
.PHONY: mutation check-mutation
mutation: test-packages
	nice tests/mutation/mutate.py $(MUTATE)

# That justified.txt speaks of the source as it is, and that the program kills what it must and nothing else.
check-mutation:
	$(SAY) '  MUTATION'
	tests/mutation/mutate.py --check

# Good and hostile load for ten minutes, or SOAK_SECONDS, through reloads, restarts, crashes and clock steps.
SOAK_SECONDS ?= 600
.PHONY: soak
soak: test-packages programs
	XMPP_AUTHD_BUILD=$(abspath $(BUILD)) XMPP_AUTHD_SOAK=$(SOAK_SECONDS) $(PYTEST) tests/soak

# What "once means once" leaves to chance, hundreds of times over, and tests of it that take long.
ONCE_ROUNDS ?= 300
ONCE_RACE   ?= 100000
.PHONY: check-long-once
check-long-once: test-packages programs
	XMPP_AUTHD_BUILD=$(abspath $(BUILD)) XMPP_AUTHD_ROUNDS=$(ONCE_ROUNDS) XMPP_AUTHD_RACE=$(ONCE_RACE) \
	    flock build/tests-integration.lock $(PYTEST) $(sort $(wildcard tests/integration/test_once_*.py)) tests/integration/test_users_many.py
	XMPP_AUTHD_BUILD=$(abspath $(BUILD)) XMPP_AUTHD_ROUNDS=$(ONCE_ROUNDS) \
	    flock build/tests-prosody.lock $(PYTEST) tests/prosody/test_prosody_daemon.py -k test_a_restart_loses_no_login

check-bench: programs
	tests/bench/run --quick $(BUILD)

-include tests/bench/bench.mk
-include tests/fuzz/fuzz.mk
-include tests/instructions/instructions.mk
-include tests/analysis/analysis.mk
-include tests/coverage/coverage.mk

# Compilers, levels of optimization, what may be left out, and other options: each builds, and its programs do what they should.
.PHONY: check-builds
check-builds: test-packages
	tests/builds/run

# --- installing it ---------------------------------------------------------------------------------------------------

SYSTEMD_DIR ?= $(if $(filter /usr,$(PREFIX)),/lib/systemd/system,/etc/systemd/system)
DATADIR     := $(PREFIX)/share
DOCDIR      := $(DATADIR)/doc/xmpp-authd

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BUILD)/xmpp-authd $(DESTDIR)$(PREFIX)/sbin/
	install -m 755 $(BUILD)/xmpp-authctl $(BUILD)/xmpp-extauth $(DESTDIR)$(PREFIX)/bin/
	for page in docs/man/*.[1-8]; do \
	    install -D -m 644 $$page $(DESTDIR)$(DATADIR)/man/man$${page##*.}/$${page##*/}; done
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) README.md LICENSE
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/docs docs/*.md
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/docs/bench docs/bench/*
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/docs/examples docs/examples/*.*
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/docs/examples/minters docs/examples/minters/*
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/docs/images docs/images/*
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/conf conf/xmpp-authd.conf
	cp -R conf/ejabberd conf/fail2ban conf/prosody conf/prometheus conf/grafana $(DESTDIR)$(DOCDIR)/conf/
	install -d $(DESTDIR)$(SYSTEMD_DIR)
	sed 's|=/usr/sbin/|=$(PREFIX)/sbin/|' systemd/xmpp-authd.service >$(DESTDIR)$(SYSTEMD_DIR)/xmpp-authd.service
	install -m 644 systemd/xmpp-authd.socket systemd/xmpp-authd@.socket $(DESTDIR)$(SYSTEMD_DIR)/
	install -D -m 644 systemd/xmpp-authd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/xmpp-authd.conf
	install -D -m 644 systemd/xmpp-authd.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/xmpp-authd.conf
	# An operator's configuration is never replaced.
	install -d -m 750 $(DESTDIR)$(SYSCONFDIR)/xmpp-authd
	[ -e $(DESTDIR)$(SYSCONFDIR)/xmpp-authd/xmpp-authd.conf ] || \
	    install -m 640 conf/xmpp-authd.conf $(DESTDIR)$(SYSCONFDIR)/xmpp-authd/

# --- handing it on ---------------------------------------------------------------------------------------------------

# The source archive: the same files give the same bytes.
.PHONY: dist
dist:
	tools/dist $(VERSION) $(BUILD)

# The relay without a library to load, for any container: $(BUILD)/static/xmpp-extauth, of musl where that is at hand (60 kB
# in place of 850), else of the system's C library.
STATIC_CC ?= $(if $(shell command -v musl-gcc),musl-gcc,$(CC))
.PHONY: static-relay
static-relay: build-packages $(STATIC)/xmpp-extauth

# It moves itself, there being no loader; musl-gcc has to be told so piece by piece.
MUSL       = /usr/lib/$(patsubst %-gnu,%-musl,$(shell $(STATIC_CC) -dumpmachine))
MUSL_PIE   = -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text $(addprefix $(MUSL)/,rcrt1.o crti.o crtn.o)
STATIC_PIE = $(if $(findstring musl-gcc,$(STATIC_CC)),$(MUSL_PIE),-static-pie)
$(STATIC)/xmpp-extauth: src/xmpp-extauth.c $(wildcard src/relay/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(STATIC_CC) -std=c11 $(WARNINGS) -Os -fPIE $(HARDENED) $(CPPFLAGS) -s -Wl,-z,relro,-z,now \
	    -o $@ $(filter %.c,$^) $(STATIC_PIE)

# The Debian packages, in $(BUILD)/deb.
.PHONY: deb deb-packages
deb-packages:
	@tools/install-packages deb
deb: deb-packages
	tools/deb $(VERSION) $(BUILD)/deb

# The packages in a fresh Debian, which is fetched once. As root.
.PHONY: check-deb check-deb-packages
check-deb-packages:
	@tools/install-packages check-deb
check-deb: check-deb-packages
	XMPP_AUTHD_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/packages

# The images of packaging/Containerfile, on a Debian of its own. As root.
.PHONY: check-containers check-containers-packages
check-containers-packages:
	@tools/install-packages check-containers
check-containers: check-containers-packages programs
	XMPP_AUTHD_BUILD=$(abspath $(BUILD)) $(PYTEST) tests/containers

# The pictures of README that show the daemon at work, taken anew.
.PHONY: pictures
pictures: programs
	@tools/install-packages pictures
	XMPP_AUTHD_BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/metrics/pictures.py

.PHONY: clean
clean:
	rm -rf build
