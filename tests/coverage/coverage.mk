# How much of src/ the tests reach: included by the top Makefile.
#
#     make coverage           build/coverage/summary.txt and build/coverage/html; fails below the limits of tests/coverage/report.py, and
#                             where a line is not reached that tests/coverage/uncovered.txt does not explain
#     make coverage-report    the report again, from what the last run left
#
# Every process counts in a file that it maps at its start, one for each program. So what runs as another user, sees no file system any
# more or is killed counts too.

COVERAGE       := $(BUILD)/coverage
COVERAGE_TESTS := vectors integration doors doctor e2e prosody metrics docs
COVERAGE_RAW    = $(abspath $(COVERAGE))/raw
COVERAGE_MAKE   = $(MAKE) --no-print-directory CC=clang BUILD=$(COVERAGE) OPTIMIZE='-O1 -g' \
                  HARDENING='-fPIE -Wno-unused-command-line-argument -fcoverage-mapping -mllvm -runtime-counter-relocation \
                  -fprofile-instr-generate=$(COVERAGE_RAW)/%m%c.profraw'

.PHONY: coverage coverage-packages coverage-report
coverage-packages:
	@tools/install-packages coverage

# The first run of each program makes its file, with a mode that lets processes of other users count in it.
coverage: coverage-packages
	rm -rf $(COVERAGE_RAW)
	mkdir -p $(COVERAGE_RAW)
	chmod 777 $(COVERAGE_RAW)
	$(COVERAGE_MAKE) programs units
	umask 0; for program in $(PROGRAMS); do $(COVERAGE)/$$program --version >/dev/null; done
	status=0; \
	$(COVERAGE_MAKE) -k TESTS='$(COVERAGE_TESTS)' check-units check-python || status=1; \
	$(COVERAGE_MAKE) FAULT_STRIDE=40 faults || status=1; \
	$(MAKE) --no-print-directory coverage-report || status=1; \
	exit $$status

coverage-report:
	tests/coverage/report.py $(COVERAGE) $(PROGRAMS)
