# The benchmark: included by the top Makefile, whose COMPILE, LINK, SAY, PACKAGES and objects_of it uses.
#
#     make bench          measures, writes table and plots to docs/bench, fails where a mark is missed
#     tests/bench/run     the same without building first, to build/bench/results; --help tells more

BENCH_PROGRAMS := floor-server load-client peer-client verdict-cost spent-memory journal-cost growth-cost flood-cost \
                  fairness-load

.PHONY: bench bench-programs bench-packages
bench-packages:
	@tools/install-packages bench

bench-programs: $(BENCH_PROGRAMS:%=$(BUILD)/bench/%)

BENCH_RESULTS ?= docs/bench
bench: bench-packages programs bench-programs
	tests/bench/run --results $(BENCH_RESULTS) $(BUILD)

$(BUILD)/bench/obj/%.o: tests/bench/%.c Makefile tests/bench/bench.mk
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(COMPILE) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) -c -o $@ $<

bench_objects = $(1:%=$(BUILD)/bench/obj/%.o)

$(BUILD)/bench/floor-server: $(call bench_objects,floor_server reused_hmac)
$(BUILD)/bench/load-client: $(call bench_objects,load_client load open_load clients latency questions mint reused_hmac)
$(BUILD)/bench/peer-client: $(call bench_objects,peer_client peer_load dialects latency mint reused_hmac)
$(BUILD)/bench/spent-memory: $(call bench_objects,spent_memory resident) $(call objects_of,base store)

$(BUILD)/bench/journal-cost: $(call bench_objects,journal_cost) $(call objects_of,base store)

$(addprefix $(BUILD)/bench/,verdict-cost growth-cost flood-cost): $(BUILD)/bench/%-cost: $(BUILD)/bench/obj/%_cost.o \
    $(call bench_objects,in_process flood questions mint reused_hmac) $(call objects_of,base token store wire config daemon)

$(BUILD)/bench/fairness-load: $(call bench_objects,fairness_load phase flood latency questions mint reused_hmac)

$(BENCH_PROGRAMS:%=$(BUILD)/bench/%):
	$(SAY) '  LINK  $@'
	$(LINK) -o $@ $^ $$(pkg-config --libs $(PACKAGES) $(ICU_PACKAGE)) -lm

-include $(wildcard $(BUILD)/bench/obj/*.d)

# Its smoke test needs the programs too.
check-bench: bench-programs
