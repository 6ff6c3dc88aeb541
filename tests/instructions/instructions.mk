# What a question costs, counted in instructions: included by the top Makefile, whose COMPILE, SAY, PACKAGES and objects_of it
# uses.
#
#     make check-instructions       counts and compares with tests/instructions/baseline.txt
#     make instructions-baseline    makes what is counted now the baseline

.PHONY: check-instructions instructions-baseline instructions-program
COUNTED_ROOMS := $(call objects_of,base token store wire config daemon)

$(BUILD)/instructions/count-questions: tests/instructions/count_questions.c $(COUNTED_ROOMS) Makefile tests/instructions/instructions.mk
	@mkdir -p $(@D)
	$(SAY) '  CC    $@'
	$(COMPILE) $(IN_PARTS) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) -o $@ $< $(COUNTED_ROOMS) $(LDFLAGS) \
	    $$(pkg-config --libs $(PACKAGES) $(ICU_PACKAGE))

instructions-program: $(BUILD)/instructions/count-questions

# Always the same flags: where the build at hand has others, another one beside it.
COUNTED_BUILD := $(BUILD)/instructions
ifeq ($(CC)|$(OPTIMIZE)|$(CFLAGS)|$(REDIS)|$(ICU)|$(SANITIZE),gcc|-O3 -g||1|1|)
COUNTED_BUILD := $(BUILD)
endif
COUNTED_FLAGS := CC=gcc OPTIMIZE='-O3 -g' CFLAGS= REDIS=1 ICU=1 SANITIZE=
COUNT := tests/instructions/check $(COUNTED_BUILD)/instructions/count-questions "$$(gcc --version | head -n 1)"

check-instructions:
	$(MAKE) --no-print-directory $(COUNTED_FLAGS) BUILD=$(COUNTED_BUILD) instructions-program
	$(SAY) '  CALLGRIND'
	$(COUNT)

instructions-baseline:
	$(MAKE) --no-print-directory $(COUNTED_FLAGS) BUILD=$(COUNTED_BUILD) instructions-program
	$(COUNT) --accept
