/* A leaf of the set of signatures: where its ids stand, to the group, and against a naive one. */
#include "vectors.h"

#include "store/signature_leaf.h"

/* The first low half whose home is the group of this number. */
static uint64_t low_of_home(size_t number)
{
    return (((uint64_t)number << 32) + LEAF_GROUPS - 1) / LEAF_GROUPS;
}

/* Of few tags, and with different numbers in both halves: told apart by the whole of it alone. */
static struct signature_id id_at(size_t home, uint64_t number)
{
    return (struct signature_id){.low = low_of_home(home) | number / 2 << 40,
                                 .high = number % 2 << 56 | number % 3 << 8 | number % 2};
}

/* Adds an id to the row and to the leaf; its place. */
static size_t add(struct block_row *ids, struct signature_leaf *leaf, struct signature_id id)
{
    struct signature_id *added = block_row_add(ids, sizeof(*added));

    assert_non_null(added);
    *added = id;
    leaf_add(leaf, id, ids->count - 1);
    return ids->count - 1;
}

static void the_groups_share_the_low_halves_evenly(void **state)
{
    (void)state;
    for (size_t number = 0; number < LEAF_GROUPS; number++) {
        struct signature_id id = {.low = low_of_home(number)};
        size_t group = number * LEAF_GROUP;

        expect(leaf_home(id) == group, "group %zu begins", number);
        id.low |= UINT64_C(0xffffffff) << 32;
        id.high = UINT64_MAX;
        expect(leaf_home(id) == group, "group %zu, whatever the rest of the id", number);
        id.low = low_of_home(number + 1) - 1;
        expect(leaf_home(id) == group, "group %zu ends", number);
        expect(leaf_next(group) == (group + LEAF_GROUP) % LEAF_SLOTS, "behind group %zu", number);
    }
}

static void a_groups_entries_are_looked_at_together_and_no_others(void **state)
{
    (void)state;
    for (size_t group = 0; group < LEAF_SLOTS; group += LEAF_GROUP) {
        for (size_t slot = 0; slot < LEAF_SLOTS; slot++) {
            struct signature_leaf leaf = {0};
            bool is_there = slot >= group && slot < group + LEAF_GROUP;
            unsigned bit = is_there ? 1U << (slot - group) : 0;

            leaf.entries[slot] = 0xa0123456;
            expect(leaf_gaps(&leaf, group) == (0xff & ~bit), "slot %zu in %zu", slot, group);
            expect(leaf_match(&leaf, group, 0xff000000, 0xa0000000) == bit, "slot %zu in %zu", slot,
                   group);
            expect(leaf_match(&leaf, group, 0xff000000, 0xa1000000) == 0, "slot %zu in %zu", slot,
                   group);
            expect(leaf_match(&leaf, group, 0xffffffff, 0xa0000000) == 0, "slot %zu in %zu", slot,
                   group);
        }
    }
}

static void an_entry_tells_the_place_and_is_never_a_free_slots(void **state)
{
    static const size_t places[] = {0, 1, 255, 1 << 23, LEAF_PLACES - 1};

    (void)state;
    for (uint64_t tag = 0; tag < 256; tag++) {
        struct signature_id id = {.high = tag << 56 | ((UINT64_C(1) << 56) - 1)};
        struct signature_id other = {.high = (tag ^ 1) << 56};

        for (size_t i = 0; i < LENGTH_OF(places); i++) {
            uint32_t entry = leaf_entry(id, places[i]);

            expect(entry != 0, "tag %llu, place %zu", (unsigned long long)tag, places[i]);
            expect(leaf_place(entry) == places[i], "tag %llu, place %zu is %zu",
                   (unsigned long long)tag, places[i], leaf_place(entry));
            expect(entry != leaf_entry(other, places[i]), "tag %llu tells nothing",
                   (unsigned long long)tag);
        }
    }
}

/* Which group a letter stands for: the first two, some in the midst, and the last two. */
static size_t group_of(char letter)
{
    if (letter >= 'y')
        return LEAF_GROUPS - 1 - (size_t)('z' - letter);
    return letter >= 'a' ? 5 + (size_t)(letter - 'a') : (size_t)(letter - '0');
}

#define A8 "aaaaaaaa"
#define B8 "bbbbbbbb"
#define Z8 "zzzzzzzz"

static void ids_stand_behind_their_home_and_move_up_when_one_goes(void **state)
{
    enum { NONE = 99 };
    static const struct {
        const char *name;
        const char *homes; /* of the ids, in the order in which they come */
        size_t removed;
        const char *groups; /* where they stand then */
    } rows[] = {
        {"at home", "ab0z", NONE, "ab0z"},
        {"eight at home", A8, NONE, A8},
        {"the ninth is behind them", A8 "a", NONE, A8 "b"},
        {"behind who came first", B8 A8 "a", NONE, B8 A8 "c"},
        {"round the end", Z8 "z", NONE, Z8 "0"},
        {"round the end, where one is at home", "0" Z8 "z", NONE, "0" Z8 "0"},
        {"nobody is behind", "ab", 0, "-b"},
        {"one of a group with a gap goes", "aaab", 1, "a-ab"},
        {"the last of them goes", A8 "a", 8, A8 "-"},
        {"the ninth moves up", A8 "a", 0, "-aaaaaaaa"},
        {"the ninth moves up, whoever goes", A8 "a", 5, "aaaaa-aaa"},
        {"who is at home stays", A8 "b", 0, "-aaaaaaab"},
        {"past one that is at home", A8 "ba", 0, "-aaaaaaaba"},
        {"past eight that are at home", A8 B8 "a", 0, "-aaaaaaa" B8 "a"},
        {"past another that can't", A8 B8 "ba", 0, "-aaaaaaa" B8 "ca"},
        {"and one behind it in its turn", A8 "a" B8, 0, "-aaaaaaaa" B8},
        {"and one behind that", A8 "a" B8 "cccccccc", 0, "-aaaaaaaa" B8 "cccccccc"},
        {"not before its home", A8 B8 "b", 0, "-aaaaaaa" B8 "c"},
        {"not over a group with a gap", A8 "a" B8 "d", 8, A8 "-" B8 "d"},
        {"round the end, it moves up", Z8 "z", 0, "-zzzzzzzz"},
        {"round the end, and its neighbour", Z8 "z00000000", 0, "-zzzzzzzz00000000"},
        {"at the first group one is at home", Z8 "0", 0, "-zzzzzzz0"},
        {"past the first group", Z8 "00000000z", 0, "-zzzzzzz00000000z"},
        {"past the last group", "yyyyyyyy" Z8 "y", 0, "-yyyyyyy" Z8 "y"},
        {"who came round goes", Z8 "z0", 8, Z8 "-0"},
        {"behind the first group, who came round", Z8 "00000000z1", 8, Z8 "-000000001"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct signature_leaf leaf = {0};
        struct block_row ids = {0};
        size_t count = strlen(rows[i].homes);
        size_t left = count - (rows[i].removed != NONE);
        size_t taken = 0;

        assert_int_equal(strlen(rows[i].groups), count);
        for (size_t at = 0; at < count; at++)
            add(&ids, &leaf, id_at(group_of(rows[i].homes[at]), at));
        if (rows[i].removed != NONE) {
            struct signature_id id = *signature_id_at(&ids, rows[i].removed);

            leaf_remove(&leaf, &ids, leaf_find(&leaf, &ids, id));
            expect(leaf.entries[leaf_find(&leaf, &ids, id)] == 0, "%s: it is there", rows[i].name);
        }
        expect(leaf.count == left, "%s: %u ids", rows[i].name, leaf.count);
        for (size_t at = 0; at < count; at++) {
            struct signature_id id = *signature_id_at(&ids, at);
            size_t slot = leaf_find(&leaf, &ids, id);

            if (at == rows[i].removed)
                continue;
            expect(leaf.entries[slot] == leaf_entry(id, at), "%s: id %zu is lost", rows[i].name,
                   at);
            expect(slot / LEAF_GROUP == group_of(rows[i].groups[at]), "%s: id %zu is in %zu",
                   rows[i].name, at, slot / LEAF_GROUP);
        }
        for (size_t slot = 0; slot < LEAF_SLOTS; slot++)
            taken += leaf.entries[slot] != 0;
        expect(taken == left, "%s: %zu slots", rows[i].name, taken);
        block_row_clear(&ids);
    }
}

/* A token that was never spent costs no look at the memory of those that were, unless it has the
 * tag of one: the row here is empty, and a look at it would be the last. */
static void a_miss_looks_at_no_id(void **state)
{
    const struct block_row none = {0};
    struct signature_leaf leaf = {0};

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        leaf_add(&leaf, (struct signature_id){.low = low_of_home(i % 3), .high = i << 56}, i);
    for (uint64_t tag = 100; tag < 256; tag++) {
        struct signature_id id = {.low = low_of_home(tag % 3), .high = tag << 56};

        leaf_prefetch(&leaf, id);
        expect(leaf.entries[leaf_find(&leaf, &none, id)] == 0, "tag %llu", (unsigned long long)tag);
    }
}

/* All groups from the home on are full up to that in which it stands, or belongs. */
static void check_found(const struct signature_leaf *leaf, const struct block_row *ids,
                        const bool *held, struct signature_id id, size_t place)
{
    size_t slot = leaf_find(leaf, ids, id);

    if (held[place])
        expect(leaf->entries[slot] == leaf_entry(id, place), "id %zu", place);
    else
        expect(leaf->entries[slot] == 0, "not id %zu", place);
    for (size_t group = leaf_home(id); slot - group >= LEAF_GROUP; group = leaf_next(group))
        expect(leaf_gaps(leaf, group) == 0, "a gap before id %zu", place);
}

/* Few homes, beside each other around the end, and all slots taken but one at times. */
static void random_ids_come_and_go_and_no_other_is_lost(void **state)
{
    enum { IDS = 600 };
    struct block_row ids = {0};
    struct signature_leaf leaf = {0};
    bool held[IDS] = {0};
    uint64_t random = 21;
    size_t count = 0, most = 0;

    (void)state;
    for (size_t i = 0; i < IDS; i++) {
        struct signature_id *id = block_row_add(&ids, sizeof(*id));

        assert_non_null(id);
        *id = id_at((LEAF_GROUPS - 3 + i % 7) % LEAF_GROUPS, i);
    }
    leaf.depth = 9;
    for (int round = 0; round < 30000; round++) {
        size_t place = (size_t)random_below(&random, IDS);
        struct signature_id id = *signature_id_at(&ids, place);
        bool growing = round / 4000 % 2 == 0;

        if (held[place] && (!growing || random_below(&random, 8) == 0)) {
            leaf_remove(&leaf, &ids, leaf_find(&leaf, &ids, id));
            held[place] = false;
            count--;
        } else if (!held[place] && count < LEAF_SLOTS - 1 &&
                   (growing || random_below(&random, 8) == 0)) {
            leaf_add(&leaf, id, place);
            held[place] = true;
            count++;
        }
        most = count > most ? count : most;
        expect(leaf.count == count, "round %d: %u, not %zu", round, leaf.count, count);
        assert_int_equal(leaf.depth, 9);
        for (size_t i = (size_t)round % 31; i < IDS; i += 31)
            check_found(&leaf, &ids, held, *signature_id_at(&ids, i), i);
    }
    assert_int_equal(most, LEAF_SLOTS - 1);
    block_row_clear(&ids);
}

static void a_leaf_is_parted_by_one_bit(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        size_t every; /* of so many ids one goes; 0: none does */
    } rows[] = {
        {"empty", 0, 1},
        {"one stays", 1, 0},
        {"one goes", 1, 1},
        {"all go", LEAF_FULL, 1},
        {"half go", LEAF_FULL, 2},
        {"a few go", LEAF_FULL, 9},
        {"all stay", LEAF_FULL, 0},
        {"of as many as there is room for", LEAF_SLOTS - 1, 2},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        for (unsigned bit = 0; bit < 64; bit += 9) {
            struct block_row ids = {0};
            struct signature_leaf leaf = {.depth = 5}, other = {.depth = 3};
            size_t going = 0;

            for (size_t at = 0; at < rows[i].count; at++) {
                struct signature_id id = id_at((LEAF_GROUPS - 4 + at % 5 * 2) % LEAF_GROUPS, at);
                bool goes = rows[i].every != 0 && at % rows[i].every == 0;

                id.high = (id.high & ~(UINT64_C(1) << bit)) | (uint64_t)goes << bit;
                going += goes;
                add(&ids, &leaf, id);
            }
            leaf_part(&leaf, &ids, UINT64_C(1) << bit, &other);
            expect(leaf.count == rows[i].count - going, "%s, bit %u: %u stay", rows[i].name, bit,
                   leaf.count);
            expect(other.count == going, "%s, bit %u: %u go", rows[i].name, bit, other.count);
            assert_int_equal(leaf.depth, 5);
            assert_int_equal(other.depth, 3);
            for (size_t at = 0; at < rows[i].count; at++) {
                struct signature_id id = *signature_id_at(&ids, at);
                bool goes = (id.high >> bit & 1) != 0;
                const struct signature_leaf *here = goes ? &other : &leaf;
                const struct signature_leaf *there = goes ? &leaf : &other;

                expect(here->entries[leaf_find(here, &ids, id)] == leaf_entry(id, at),
                       "%s, bit %u: id %zu is lost", rows[i].name, bit, at);
                expect(there->entries[leaf_find(there, &ids, id)] == 0,
                       "%s, bit %u: id %zu is on both sides", rows[i].name, bit, at);
            }
            block_row_clear(&ids);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_groups_share_the_low_halves_evenly),
        cmocka_unit_test(a_groups_entries_are_looked_at_together_and_no_others),
        cmocka_unit_test(an_entry_tells_the_place_and_is_never_a_free_slots),
        cmocka_unit_test(ids_stand_behind_their_home_and_move_up_when_one_goes),
        cmocka_unit_test(a_miss_looks_at_no_id),
        cmocka_unit_test(random_ids_come_and_go_and_no_other_is_lost),
        cmocka_unit_test(a_leaf_is_parted_by_one_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
