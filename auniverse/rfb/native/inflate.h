/* What inflating is made of: huffman.c makes tables, deflate.c reads with them. */
#ifndef AUNIVERSE_INFLATE_H
#define AUNIVERSE_INFLATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One entry of a table: bits 0 to 4 the length of the code, then what it means. */
enum {
    ENTRY_LENGTH = 31,
    ENTRY_VALUE = 8,  /* 16 bits: a byte, the least length or distance, where a branch begins */
    ENTRY_EXTRA = 24, /* 4 bits: how many bits to add; those that a branch is looked up with */
};
#define ENTRY_LITERAL (1u << 31)
#define ENTRY_END (1u << 30)
#define ENTRY_BRANCH (1u << 29)
#define ENTRY_BAD (1u << 28)

enum code_kind { CODE_LENGTHS, LITERAL_CODES, DISTANCE_CODES };

typedef struct {
    uint32_t *entries;
    uint32_t most_bits, room; /* of the first look-up; entries that there is memory for */
    uint32_t mask;
} table;

/* The first look-up's bits, and the most entries that any code can need then. */
enum {
    LITERAL_BITS = 10, LITERAL_ROOM = 1334,
    DISTANCE_BITS = 8, DISTANCE_ROOM = 402,
    LENGTH_BITS = 7, LENGTH_ROOM = 128,
};

int huffman_build(table *t, enum code_kind kind, const uint8_t *lengths, size_t symbols);

enum {
    HISTORY = 32 * 1024, /* how far back a distance reaches */
    AHEAD = 64 * 1024,   /* that can be inflated and not yet read */
    OVERRUN = 320,       /* written past what was asked for: a match, and the rest of a copy */
};

enum phase {
    AT_HEAD, AT_BLOCK, AT_STORED_LENGTH, IN_STORED, AT_COUNTS, IN_LENGTHS_OF_LENGTHS, IN_LENGTHS,
    IN_CODES, AT_CHECKSUM, ENDED, BROKEN
};

/* One zlib stream (RFC 1950), which goes on from rectangle to rectangle. Its tables lie in it, so it
   must stay where it is. */
typedef struct stream {
    enum phase phase;
    int last_block;
    uint64_t bits; /* taken from the input and not used yet, the next one lowest */
    unsigned bit_count;
    uint32_t stored_left;
    unsigned literal_count, distance_count, length_count, index; /* of a dynamic block's header */
    uint8_t lengths[19 + 320];
    table literals, distances;
    uint32_t literal_entries[LITERAL_ROOM], distance_entries[DISTANCE_ROOM];
    size_t end; /* of what was inflated, in: */
    uint8_t window[HISTORY + AHEAD + OVERRUN];
} stream;

void deflate_prepare(void);
void deflate_open(stream *s);
void deflate_run(stream *s, const uint8_t **in, const uint8_t *in_end, size_t until);

#endif
