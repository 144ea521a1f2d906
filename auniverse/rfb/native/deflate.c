/* Inflating (RFC 1950, RFC 1951), made for what VNC servers send.
 *
 * Why not a library: a stream lives as long as its connection, and comes in hundreds of small
 * pieces an update. zlib and zlib-ng copy everything into a window of their own; ISA-L makes large
 * tables and moves 32 KB around for pieces of 50 bytes. Here what is inflated stays in the window
 * and is painted from there. The checksum behind the end of a stream is not computed: no server
 * ends one, and who could change the bytes could change the checksum.
 *
 * Whatever comes, it reads nothing behind the input, writes no more than OVERRUN bytes past
 * `until`, and can stop anywhere between two symbols: bits that are no whole symbol stay in `bits`.
 */
#include "inflate.h"

static uint32_t fixed_literal_entries[LITERAL_ROOM], fixed_distance_entries[DISTANCE_ROOM];
static table fixed_literals = {fixed_literal_entries, LITERAL_BITS, LITERAL_ROOM, 0};
static table fixed_distances = {fixed_distance_entries, DISTANCE_BITS, DISTANCE_ROOM, 0};

/* Once, before anything is inflated: the codes of blocks that bring none (3.2.6). */
void deflate_prepare(void)
{
    uint8_t lengths[288];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    huffman_build(&fixed_literals, LITERAL_CODES, lengths, 288);
    memset(lengths, 5, 32);
    huffman_build(&fixed_distances, DISTANCE_CODES, lengths, 32);
}

void deflate_open(stream *s)
{
    memset(s, 0, offsetof(stream, literal_entries));
    s->end = 0;
}

/* Bits and where the next ones come from: locals, which the compiler keeps in registers. */
typedef struct {
    uint64_t bits;
    unsigned count;
    const uint8_t *at, *end;
} reader;

/* Have 56 bits, or all that there are. Bits above `count` are the next ones of the input, if any:
   to put them there again changes nothing. */
static inline void refill(reader *r)
{
    if (r->end - r->at >= 8) {
        uint64_t next;
        memcpy(&next, r->at, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        next = __builtin_bswap64(next);
#endif
        r->bits |= next << r->count;
        r->at += (63 - r->count) >> 3;
        r->count |= 56;
    } else {
        for (; r->count < 56 && r->at < r->end; r->count += 8)
            r->bits |= (uint64_t)*r->at++ << r->count;
    }
}

static inline void drop(reader *r, unsigned count)
{
    r->bits >>= count;
    r->count -= count;
}

static inline uint32_t low_bits(uint64_t bits, unsigned count)
{
    return (uint32_t)bits & ((1u << count) - 1);
}

/* Take so many bits (at most 32); 0 if they are not there. */
static int take(reader *r, unsigned count, uint32_t *value)
{
    refill(r);
    if (r->count < count)
        return 0;
    *value = (uint32_t)(r->bits & ((1ull << count) - 1));
    drop(r, count);
    return 1;
}

static inline uint32_t look(const uint32_t *entries, uint32_t mask, uint64_t bits)
{
    uint32_t entry = entries[bits & mask];
    if (entry & ENTRY_BRANCH) {
        bits >>= entry & ENTRY_LENGTH;
        entry = entries[(entry >> ENTRY_VALUE & 0xFFFF) + low_bits(bits, entry >> ENTRY_EXTRA & 15)];
    }
    return entry;
}

/* May write up to 31 bytes past the end of the match. */
static inline uint8_t *copy_match(uint8_t *out, size_t distance, size_t length)
{
    const uint8_t *from = out - distance;
    uint8_t *end = out + length;
    if (distance >= 16) {
        do {
            memcpy(out, from, 16);
            out += 16;
            from += 16;
        } while (out < end);
    } else if (distance == 1) {
        memset(out, *from, length);
    } else {
        /* What repeats is doubled until a copy of 16 bytes does not overlap itself. */
        while (distance < 16 && out < end) {
            for (size_t i = 0; i < distance; i++)
                out[i] = from[i];
            out += distance;
            distance *= 2;
        }
        from = out - distance;
        while (out < end) {
            memcpy(out, from, 16);
            out += 16;
            from += 16;
        }
    }
    return end;
}

/* Symbols, until the input or the block ends or there is enough. */
static enum phase run_codes(stream *s, reader *in, size_t until)
{
    reader r = *in;
    uint8_t *out = s->window + s->end, *enough = s->window + until;
    const uint32_t *literals = s->literals.entries, *distances = s->distances.entries;
    const uint32_t mask = s->literals.mask, distance_mask = s->distances.mask;
    enum phase phase = IN_CODES;
    while (out < enough) {
        refill(&r);
        uint32_t entry = look(literals, mask, r.bits);
        /* Three literals have at most 45 bits; what follows them waits for the next round. */
        for (int i = 0; i < 2 && entry & ENTRY_LITERAL && (entry & ENTRY_LENGTH) <= r.count; i++) {
            *out++ = (uint8_t)(entry >> ENTRY_VALUE);
            drop(&r, entry & ENTRY_LENGTH);
            entry = look(literals, mask, r.bits);
        }
        unsigned used = entry & ENTRY_LENGTH;
        if (used > r.count)
            break;
        if (entry & ENTRY_LITERAL) {
            *out++ = (uint8_t)(entry >> ENTRY_VALUE);
            drop(&r, used);
            continue;
        }
        if (entry & (ENTRY_END | ENTRY_BAD)) {
            drop(&r, used);
            phase = entry & ENTRY_BAD ? BROKEN : s->last_block ? AT_CHECKSUM : AT_BLOCK;
            break;
        }
        if (r.count < 48)
            refill(&r);
        unsigned extra = entry >> ENTRY_EXTRA & 15;
        size_t length = (entry >> ENTRY_VALUE & 0xFFFF) + low_bits(r.bits >> used, extra);
        used += extra;
        entry = look(distances, distance_mask, r.bits >> used);
        extra = entry >> ENTRY_EXTRA & 15;
        used += entry & ENTRY_LENGTH;
        size_t distance = (entry >> ENTRY_VALUE & 0xFFFF) + low_bits(r.bits >> used, extra);
        used += extra;
        if (used > r.count)
            break;
        if (entry & ENTRY_BAD || distance > (size_t)(out - s->window)) {
            phase = BROKEN;
            break;
        }
        drop(&r, used);
        out = copy_match(out, distance, length);
    }
    s->end = (size_t)(out - s->window);
    *in = r;
    return phase;
}

static enum phase run_head(reader *r)
{
    uint32_t head;
    if (!take(r, 16, &head))
        return AT_HEAD;
    uint32_t method = head & 255, flags = head >> 8;
    int fine = (method & 15) == 8 && method >> 4 <= 7 && (256 * method + flags) % 31 == 0;
    return fine && !(flags & 32) ? AT_BLOCK : BROKEN;
}

static enum phase run_block(stream *s, reader *r)
{
    uint32_t head;
    if (!take(r, 3, &head))
        return AT_BLOCK;
    s->last_block = head & 1;
    s->index = 0;
    switch (head >> 1) {
    case 0:
        drop(r, r->count & 7);
        return AT_STORED_LENGTH;
    case 1:
        s->literals = fixed_literals;
        s->distances = fixed_distances;
        return IN_CODES;
    case 2:
        return AT_COUNTS;
    }
    return BROKEN;
}

static enum phase after_block(const stream *s) { return s->last_block ? AT_CHECKSUM : AT_BLOCK; }

static enum phase run_stored_length(stream *s, reader *r)
{
    uint32_t both;
    if (!take(r, 32, &both))
        return AT_STORED_LENGTH;
    s->stored_left = both & 0xFFFF;
    if (s->stored_left != (~both >> 16))
        return BROKEN;
    return s->stored_left ? IN_STORED : after_block(s);
}

static enum phase run_stored(stream *s, reader *r, size_t until)
{
    for (; s->stored_left && r->count && s->end < until; s->stored_left--, drop(r, 8))
        s->window[s->end++] = (uint8_t)r->bits;
    size_t count = s->end < until ? until - s->end : 0;
    if (r->count)
        count = 0;
    else
        r->bits = 0; /* what is there of later bytes is copied from where it lies */
    if (count > s->stored_left)
        count = s->stored_left;
    if (count > (size_t)(r->end - r->at))
        count = (size_t)(r->end - r->at);
    memcpy(s->window + s->end, r->at, count);
    r->at += count;
    s->end += count;
    s->stored_left -= (uint32_t)count;
    return s->stored_left ? IN_STORED : after_block(s);
}

static enum phase run_counts(stream *s, reader *r)
{
    uint32_t counts;
    if (!take(r, 14, &counts))
        return AT_COUNTS;
    s->literal_count = 257 + (counts & 31);
    s->distance_count = 1 + (counts >> 5 & 31);
    s->length_count = 4 + (counts >> 10);
    memset(s->lengths, 0, 19);
    return s->literal_count > 286 || s->distance_count > 30 ? BROKEN : IN_LENGTHS_OF_LENGTHS;
}

static enum phase run_lengths_of_lengths(stream *s, reader *r)
{
    static const uint8_t ORDER[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14,
                                      1, 15};
    uint32_t length;
    for (; s->index < s->length_count; s->index++) {
        if (!take(r, 3, &length))
            return IN_LENGTHS_OF_LENGTHS;
        s->lengths[ORDER[s->index]] = (uint8_t)length;
    }
    /* They are needed until the other lengths are read; the literals' table is not, yet. */
    s->literals = (table){s->literal_entries, LENGTH_BITS, LENGTH_ROOM, 0};
    if (huffman_build(&s->literals, CODE_LENGTHS, s->lengths, 19))
        return BROKEN;
    s->index = 0;
    return IN_LENGTHS;
}

static enum phase run_lengths(stream *s, reader *r)
{
    uint8_t *lengths = s->lengths + 19;
    unsigned all = s->literal_count + s->distance_count;
    while (s->index < all) {
        refill(r);
        uint32_t entry = s->literals.entries[r->bits & s->literals.mask];
        unsigned symbol = entry >> ENTRY_VALUE & 0xFFFF, used = entry & ENTRY_LENGTH;
        unsigned extra = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
        if (used + extra > r->count)
            return IN_LENGTHS;
        if (entry & ENTRY_BAD)
            return BROKEN;
        unsigned repeat = 1 + low_bits(r->bits >> used, extra);
        drop(r, used + extra);
        repeat += symbol < 16 ? 0 : symbol == 18 ? 10 : 2;
        if (repeat > all - s->index || (symbol == 16 && !s->index))
            return BROKEN;
        uint8_t length = symbol < 16 ? (uint8_t)symbol : symbol == 16 ? lengths[s->index - 1] : 0;
        memset(lengths + s->index, length, repeat);
        s->index += repeat;
    }
    s->literals = (table){s->literal_entries, LITERAL_BITS, LITERAL_ROOM, 0};
    s->distances = (table){s->distance_entries, DISTANCE_BITS, DISTANCE_ROOM, 0};
    if (!lengths[256]
        || huffman_build(&s->literals, LITERAL_CODES, lengths, s->literal_count)
        || huffman_build(&s->distances, DISTANCE_CODES, lengths + s->literal_count,
                         s->distance_count))
        return BROKEN;
    return IN_CODES;
}

/* Behind the last block: to a whole byte, and over the checksum. */
static enum phase run_checksum(reader *r)
{
    uint32_t checksum;
    drop(r, r->count & 7);
    return take(r, 32, &checksum) ? ENDED : AT_CHECKSUM;
}

/* Inflate until the window has `until` bytes or a few more, or the input is used up. Bytes behind
   the end of the stream are left. */
void deflate_run(stream *s, const uint8_t **in, const uint8_t *in_end, size_t until)
{
    reader r = {s->bits, s->bit_count, *in, in_end};
    for (;;) {
        enum phase before = s->phase;
        switch (s->phase) {
        case AT_HEAD: s->phase = run_head(&r); break;
        case AT_BLOCK: s->phase = run_block(s, &r); break;
        case AT_STORED_LENGTH: s->phase = run_stored_length(s, &r); break;
        case IN_STORED: s->phase = run_stored(s, &r, until); break;
        case AT_COUNTS: s->phase = run_counts(s, &r); break;
        case IN_LENGTHS_OF_LENGTHS: s->phase = run_lengths_of_lengths(s, &r); break;
        case IN_LENGTHS: s->phase = run_lengths(s, &r); break;
        case IN_CODES: s->phase = run_codes(s, &r, until); break;
        case AT_CHECKSUM: s->phase = run_checksum(&r); break;
        case ENDED: case BROKEN: break;
        }
        if (s->phase == before || s->phase == ENDED || s->phase == BROKEN)
            break;
    }
    if (s->phase == ENDED) {
        r.at -= r.count / 8;
        r.count = 0;
    }
    s->bits = r.count ? r.bits & (~0ull >> (64 - r.count)) : 0;
    s->bit_count = r.count;
    *in = r.at;
}
