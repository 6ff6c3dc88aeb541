/* A leaf of the set of signatures: where its ids stand, to the slot, and against a naive one. */
#include "vectors.h"

#include "store/signature_leaf.h"

/* The first low half whose home is this slot. */
static uint64_t low_of_home(size_t slot)
{
    return (((uint64_t)slot << 32) + LEAF_SLOTS - 1) / LEAF_SLOTS;
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

static void the_slots_share_the_low_halves_evenly(void **state)
{
    (void)state;
    for (size_t slot = 0; slot < LEAF_SLOTS; slot++) {
        struct signature_id id = {.low = low_of_home(slot)};

        expect(leaf_home(id) == slot, "slot %zu begins", slot);
        id.low |= UINT64_C(0xffffffff) << 32;
        id.high = UINT64_MAX;
        expect(leaf_home(id) == slot, "slot %zu, whatever the rest of the id", slot);
        id.low = low_of_home(slot + 1) - 1;
        expect(leaf_home(id) == slot, "slot %zu ends", slot);
        expect(leaf_next(slot) == (slot + 1) % LEAF_SLOTS, "behind slot %zu", slot);
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

static void ids_stand_behind_their_home_and_move_up_when_one_goes(void **state)
{
    enum { MOST = 6, NONE = MOST, LAST = LEAF_SLOTS - 1 };
    static const struct {
        const char *name;
        size_t homes[MOST]; /* of the ids, in the order in which they come */
        size_t count, removed;
        size_t slots[MOST]; /* where they stand then */
    } rows[] = {
        {"at home", {5, 7, 0, LAST}, 4, NONE, {5, 7, 0, LAST}},
        {"behind each other", {5, 5, 5}, 3, NONE, {5, 6, 7}},
        {"behind who came first", {6, 5, 5}, 3, NONE, {6, 5, 7}},
        {"round the end", {LAST, LAST, LAST}, 3, NONE, {LAST, 0, 1}},
        {"round the end, where one is at home", {0, LAST, LAST}, 3, NONE, {0, LAST, 1}},
        {"nobody is behind", {5, 7}, 2, 0, {0, 7}},
        {"the last of them goes", {5, 5, 5}, 3, 2, {5, 6}},
        {"all move up", {5, 5, 5, 5}, 4, 0, {0, 5, 6, 7}},
        {"those behind move up", {5, 5, 5, 5}, 4, 1, {5, 0, 6, 7}},
        {"who is at home stays", {5, 6, 7}, 3, 0, {0, 6, 7}},
        {"past one that is at home", {5, 6, 5}, 3, 0, {0, 6, 5}},
        {"past some, and once more", {5, 6, 7, 5, 6}, 5, 0, {0, 6, 7, 5, 8}},
        {"not before its home", {5, 5, 6, 6}, 4, 0, {0, 5, 6, 7}},
        {"not over a free slot", {5, 7, 7}, 3, 0, {0, 7, 8}},
        {"round the end, all move up", {LAST, LAST, LAST}, 3, 0, {0, LAST, 0}},
        {"round the end, and its neighbours", {LAST, LAST, 0}, 3, 0, {0, LAST, 0}},
        {"at the first slot one is at home", {LAST, 0, 0}, 3, 0, {0, 0, 1}},
        {"past the first slot's", {LAST, 0, LAST}, 3, 0, {0, 0, LAST}},
        {"past the last slot's", {LAST - 1, LAST, LAST - 1}, 3, 0, {0, LAST, LAST - 1}},
        {"at the first slot, who came round", {LAST, LAST, LAST - 1}, 3, 1, {LAST, 0, LAST - 1}},
        {"behind the first slot, who came round", {LAST, 0, 1, LAST, 1}, 5, 1, {LAST, 0, 1, 0, 2}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct signature_leaf leaf = {0};
        struct block_row ids = {0};
        size_t left = rows[i].count - (rows[i].removed != NONE);
        size_t taken = 0;

        for (size_t at = 0; at < rows[i].count; at++)
            add(&ids, &leaf, id_at(rows[i].homes[at], at));
        if (rows[i].removed != NONE) {
            struct signature_id id = id_at(rows[i].homes[rows[i].removed], rows[i].removed);

            leaf_remove(&leaf, &ids, leaf_find(&leaf, &ids, id));
            expect(leaf.entries[leaf_find(&leaf, &ids, id)] == 0, "%s: it is there", rows[i].name);
        }
        expect(leaf.count == left, "%s: %u ids", rows[i].name, leaf.count);
        for (size_t at = 0; at < rows[i].count; at++) {
            struct signature_id id = id_at(rows[i].homes[at], at);

            if (at != rows[i].removed)
                expect(leaf.entries[rows[i].slots[at]] == leaf_entry(id, at),
                       "%s: id %zu is not at %zu", rows[i].name, at, rows[i].slots[at]);
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

/* All slots from the home on are taken up to where it stands, or belongs. */
static void check_found(const struct signature_leaf *leaf, const struct block_row *ids,
                        const bool *held, struct signature_id id, size_t place)
{
    size_t slot = leaf_find(leaf, ids, id);

    if (held[place])
        expect(leaf->entries[slot] == leaf_entry(id, place), "id %zu", place);
    else
        expect(leaf->entries[slot] == 0, "not id %zu", place);
    for (size_t before = leaf_home(id); before != slot; before = leaf_next(before))
        expect(leaf->entries[before] != 0, "a gap before id %zu", place);
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
        *id = id_at((LEAF_SLOTS - 3 + i % 7) % LEAF_SLOTS, i);
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
                struct signature_id id = id_at((LEAF_SLOTS - 4 + at % 5 * 2) % LEAF_SLOTS, at);
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
        cmocka_unit_test(the_slots_share_the_low_halves_evenly),
        cmocka_unit_test(an_entry_tells_the_place_and_is_never_a_free_slots),
        cmocka_unit_test(ids_stand_behind_their_home_and_move_up_when_one_goes),
        cmocka_unit_test(a_miss_looks_at_no_id),
        cmocka_unit_test(random_ids_come_and_go_and_no_other_is_lost),
        cmocka_unit_test(a_leaf_is_parted_by_one_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
