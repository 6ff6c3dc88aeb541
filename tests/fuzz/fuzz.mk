# The fuzzers: included by the top Makefile.
#
#     make fuzz           FUZZ_SECONDS (default 1800) of processor time for each, FUZZ_JOBS (default 1) at a time
#     make check-fuzz     the corpus, and a few seconds of each (a part of make check)
#
# A fuzzer that finds something leaves the input in $(FUZZ)/findings and ends with it.

FUZZERS      := token kinds generic ejabberd saslauthd configuration secrets connection
FUZZ         := $(BUILD)/fuzz
FUZZ_SECONDS ?= 1800
FUZZ_JOBS    ?= 1
# Everything is built with coverage for the fuzzer to steer by.
FUZZ_MAKE     = $(MAKE) --no-print-directory CC=clang SANITIZE=1 BUILD=$(FUZZ) \
                CFLAGS='-fsanitize=fuzzer-no-link -Wno-unused-command-line-argument' FUZZ=$(FUZZ)

.PHONY: fuzz check-fuzz fuzzers
fuzzers: $(FUZZERS:%=$(FUZZ)/fuzz-%)

$(FUZZ)/fuzz-obj/%.o: tests/fuzz/%.c Makefile tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(COMPILE) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) -c -o $@ $<

$(FUZZ)/fuzz-%: $(FUZZ)/fuzz-obj/%.o $(FUZZ)/fuzz-obj/framing.o $(FUZZ)/fuzz-obj/memory_file.o \
                $(call objects_of,base token store wire config daemon)
	$(SAY) '  LINK  $@'
	$(LINK) -fsanitize=fuzzer -o $@ $^ $$(pkg-config --libs $(PACKAGES) $(ICU_PACKAGE))

fuzz: test-packages
	$(FUZZ_MAKE) fuzzers
	tests/fuzz/run --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) $(FUZZ) $(FUZZERS)

check-fuzz:
	$(FUZZ_MAKE) fuzzers
	tests/fuzz/run --seconds 3 $(FUZZ) $(FUZZERS)

-include $(wildcard $(FUZZ)/fuzz-obj/*.d)
