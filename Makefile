# xmpp-authd: `make demo` shows it at work, `make check` proves it; both install what they need first.

VERSION := 0.1.0
PREFIX  ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,/etc)
BUILD   ?= build
CC      ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif

PACKAGES := libevent libcrypto inih
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wundef
HARDENING := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
OPTIMIZE ?= -O2 -g
override CPPFLAGS += -D_GNU_SOURCE -DXMPP_AUTHD_VERSION='"$(VERSION)"' -Isrc
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed

# SANITIZE=1 builds the same programs under AddressSanitizer and UndefinedBehaviorSanitizer.
ifeq ($(SANITIZE),1)
HARDENING := -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -fPIE
OPTIMIZE  := -O1 -g
endif

COMPILE = $(CC) -std=c11 $(WARNINGS) $(OPTIMIZE) $(HARDENING) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK    = $(CC) $(OPTIMIZE) $(HARDENING) $(LDFLAGS)

# V=1 shows the commands.
ifeq ($(V),1)
SAY := @:
else
SAY := @echo
.SILENT:
endif

# Each room knows only the rooms to the left of it.
ROOMS    := base token store wire config daemon ctl relay
SOURCES  := $(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c))
OBJECTS  := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
PROGRAMS := xmpp-authd xmpp-authctl xmpp-extauth
UNITS    := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))

objects_of = $(filter $(foreach room,$(1),$(BUILD)/obj/$(room)/%),$(OBJECTS))

.PHONY: all
all: build-packages $(PROGRAMS:%=$(BUILD)/%)

.PHONY: programs
programs: $(PROGRAMS:%=$(BUILD)/%)

.PHONY: build-packages test-packages
build-packages:
	@tools/install-packages build
test-packages:
	@tools/install-packages test

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(COMPILE) $(if $(findstring /relay/,$@)$(findstring xmpp-extauth,$@),,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)) -c -o $@ $<

$(BUILD)/xmpp-authd: $(BUILD)/obj/xmpp-authd.o $(call objects_of,base token store wire config daemon)
	$(SAY) '  LINK  $@'
	$(LINK) -o $@ $^ $$(pkg-config --libs $(PACKAGES))

$(BUILD)/xmpp-authctl: $(BUILD)/obj/xmpp-authctl.o $(call objects_of,base token wire config ctl)
	$(SAY) '  LINK  $@'
	$(LINK) -o $@ $^ $$(pkg-config --libs libcrypto inih)

# libc alone, so that it can be linked statically and dropped into any container.
$(BUILD)/xmpp-extauth: $(BUILD)/obj/xmpp-extauth.o $(call objects_of,relay)
	$(SAY) '  LINK  $@'
	$(LINK) -o $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(OBJECTS) Makefile
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(COMPILE) -Itests/unit $(shell pkg-config --cflags $(PACKAGES) cmocka 2>/dev/null) -o $@ $< $(OBJECTS) $(LDFLAGS) \
	    $$(pkg-config --libs $(PACKAGES) cmocka)

.PHONY: units
units: $(UNITS:%=$(BUILD)/unit/%)

-include $(shell find $(BUILD)/obj $(BUILD)/unit -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf build
