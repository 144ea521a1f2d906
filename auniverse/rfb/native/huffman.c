/* Tables for decoding Huffman codes (RFC 1951 3.2.2): a look-up of so many bits gives a symbol, how
 * long its code is and what follows it, or where to look on for codes that are longer. */
#include "inflate.h"

enum { LONGEST = 15 };

/* Lengths and distances: the least, and the bits that are added to it. */
typedef struct { uint16_t base; uint8_t extra; } span;

static const span LENGTHS[] = {
    {3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1},
    {15, 1}, {17, 1}, {19, 2}, {23, 2}, {27, 2}, {31, 2}, {35, 3}, {43, 3}, {51, 3}, {59, 3},
    {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
};

static const span DISTANCES[] = {
    {1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3},
    {33, 4}, {49, 4}, {65, 5}, {97, 5}, {129, 6}, {193, 6}, {257, 7}, {385, 7}, {513, 8}, {769, 8},
    {1025, 9}, {1537, 9}, {2049, 10}, {3073, 10}, {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12},
    {16385, 13}, {24577, 13},
};

static uint32_t entry_of(const span *spans, size_t count, size_t symbol)
{
    if (symbol >= count)
        return ENTRY_BAD; /* has a code in the fixed tables, but no meaning */
    return (uint32_t)spans[symbol].base << ENTRY_VALUE | (uint32_t)spans[symbol].extra << ENTRY_EXTRA;
}

static uint32_t meaning(enum code_kind kind, size_t symbol)
{
    if (kind == CODE_LENGTHS)
        return (uint32_t)symbol << ENTRY_VALUE;
    if (kind == DISTANCE_CODES)
        return entry_of(DISTANCES, sizeof DISTANCES / sizeof *DISTANCES, symbol);
    if (symbol < 256)
        return ENTRY_LITERAL | (uint32_t)symbol << ENTRY_VALUE;
    if (symbol == 256)
        return ENTRY_END;
    return entry_of(LENGTHS, sizeof LENGTHS / sizeof *LENGTHS, symbol - 257);
}

/* The code that follows, with its first bit lowest, as they come. */
static uint32_t next_code(uint32_t code, unsigned length)
{
    uint32_t bit = 1u << (length - 1);
    while (code & bit)
        bit >>= 1;
    return bit ? (code & (bit - 1)) | bit : 0;
}

/* Bits of the table for all codes that begin as this one, which has `length` and of whose length
   there are `left` more to be given out, itself included. */
static unsigned branch_bits(const uint16_t *counts, unsigned length, unsigned root, unsigned left)
{
    unsigned bits = length - root;
    int64_t room = (int64_t)(1u << bits) - left;
    while (room > 0 && bits + root < LONGEST) {
        bits++;
        room = 2 * room - counts[bits + root];
    }
    return bits;
}

/* Returns -1 if the lengths make no code. One that leaves codes unused is none either, but for a
   single code of one bit, and none at all: a block of literals has no distances. */
int huffman_build(table *t, enum code_kind kind, const uint8_t *lengths, size_t symbols)
{
    uint16_t counts[LONGEST + 1] = {0}, starts[LONGEST + 2] = {0}, sorted[288];
    for (size_t i = 0; i < symbols; i++)
        counts[lengths[i]]++;
    unsigned longest = LONGEST;
    while (longest && !counts[longest])
        longest--;
    int64_t unused = 1;
    for (unsigned length = 1; length <= longest; length++) {
        unused = 2 * unused - counts[length];
        if (unused < 0)
            return -1;
    }
    if (unused && longest && (kind == CODE_LENGTHS || longest > 1))
        return -1;
    for (unsigned length = 1; length <= LONGEST; length++)
        starts[length + 1] = starts[length] + counts[length];
    for (size_t i = 0; i < symbols; i++)
        if (lengths[i])
            sorted[starts[lengths[i]]++] = (uint16_t)i;
    unsigned root = longest > t->most_bits ? t->most_bits : longest ? longest : 1;
    t->mask = (1u << root) - 1;
    /* The table grows with the length of the codes: each time it is the same twice, and what is
       longer than all so far falls into a place that is unused in both. */
    t->entries[0] = ENTRY_BAD | 1;
    unsigned grown = 0;
    uint32_t code = 0, end = 1u << root, branch = UINT32_MAX, at = 0, size = 0;
    const uint16_t *symbol = sorted;
    for (unsigned length = 1; length <= longest; length++)
        for (unsigned left = counts[length]; left; left--, symbol++, code = next_code(code, length)) {
            uint32_t entry = meaning(kind, *symbol) | length;
            for (; grown < length && grown < root; grown++)
                memcpy(t->entries + (1u << grown), t->entries, sizeof(uint32_t) << grown);
            if (length <= root) {
                t->entries[code] = entry;
                continue;
            }
            if ((code & t->mask) != branch) {
                branch = code & t->mask;
                unsigned bits = branch_bits(counts, length, root, left);
                at = end;
                size = 1u << bits;
                end += size;
                if (end > t->room)
                    return -1; /* cannot be: the room is for the worst of all codes */
                t->entries[branch] = ENTRY_BRANCH | at << ENTRY_VALUE | bits << ENTRY_EXTRA | root;
            }
            for (uint32_t i = code >> root; i < size; i += 1u << (length - root))
                t->entries[at + i] = entry;
        }
    for (; grown < root; grown++)
        memcpy(t->entries + (1u << grown), t->entries, sizeof(uint32_t) << grown);
    return 0;
}
