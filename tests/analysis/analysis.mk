# The analyses that take too long for each check: included by the top Makefile.
#
#     make check-analysis-long    gcc's analyzer, clang's (scan-build), clang-tidy's checks for threads, all that cppcheck has to say
#
# The explanations are of what Debian 12's gcc and clang-tidy report. Another version reports other things.

ANALYSIS := $(BUILD)/analysis
# What runs beside the event loop calls these rooms.
THREADED := $(filter $(foreach room,base token store wire config daemon,src/$(room)/%),$(SOURCES)) src/xmpp-authd.c

.PHONY: check-analysis-long analysis-packages analyze-gcc analyze-clang analyze-threads analyze-cppcheck
analysis-packages:
	@tools/install-packages analysis

check-analysis-long: analysis-packages
	$(MAKE) --no-print-directory CC=gcc -j 2 analyze-gcc
	$(MAKE) --no-print-directory analyze-clang analyze-cppcheck

ANALYZED := $(SOURCES:src/%.c=$(ANALYSIS)/gcc/%.txt) $(PROGRAMS:%=$(ANALYSIS)/gcc/%.txt)
$(ANALYSIS)/gcc/%.txt: src/%.c Makefile tests/analysis/analysis.mk
	@mkdir -p $(@D)
	$(SAY) '  ANALYZE $<'
	LC_ALL=C $(COMPILE) $(shell pkg-config --cflags $(PACKAGES) $(DOCTOR_PACKAGES) 2>/dev/null | sed 's/-I/-isystem /g') \
	    -fanalyzer -Wno-error -fdiagnostics-plain-output -c -o $(@:.txt=.o) $< 2>$@ || { cat $@ >&2; rm $@; exit 1; }

$(ANALYSIS)/threads.txt: $(THREADED) $(wildcard src/*/*.h) tests/analysis/analysis.mk
	@mkdir -p $(@D)
	$(SAY) '  CLANG-TIDY concurrency-*'
	clang-tidy --quiet --checks='-*,concurrency-*' --warnings-as-errors='-*' $(THREADED) -- $(TIDY_FLAGS) >$@ 2>$@.errors || \
	    { cat $@.errors >&2; rm $@; exit 1; }

analyze-gcc: $(ANALYZED) $(ANALYSIS)/threads.txt
	tests/analysis/explained tests/analysis/explained.txt $^

# scan-build takes the compiler's place in the environment; one given to this make would go before it.
analyze-clang:
	$(SAY) '  SCAN-BUILD'
	rm -rf $(ANALYSIS)/scan
	env -u MAKEFLAGS -u MFLAGS scan-build --status-bugs --use-cc=gcc -o $(ANALYSIS)/reports \
	    -enable-checker nullability,optin.portability.UnixAPI,security.FloatLoopCounter,valist \
	    $(MAKE) -j 2 BUILD=$(ANALYSIS)/scan programs

analyze-cppcheck:
	$(SAY) '  CPPCHECK (all)'
	cppcheck --enable=all --inconclusive --inline-suppr --std=c11 --quiet --error-exitcode=1 \
	    --suppressions-list=tests/analysis/cppcheck.txt $(CPPFLAGS) -Itests/unit src tests/unit
