/* Pseudo-encodings of ordinary streams (RFC 6143 7.8.1 and the IANA registry): the pointer's shape
 * and place, and our own frames. They paint nothing; what they say becomes an event. Those that a
 * server sends once in a while, such as another size, are read by decoders/pseudo.py. */
#include "kernel.h"

#include <math.h>
#include <stdlib.h>

event *new_event(kernel *k, enum event_kind kind)
{
    event *e = &k->events[k->event_count++];
    *e = (event){.kind = kind};
    return e;
}

/* Bytes of a row of bits, which begins with a byte of its own. */
static size_t bit_row(const rectangle *r) { return (r->at.width + 7u) / 8; }

static int has_bit(const uint8_t *rows, const rectangle *r, uint32_t x, uint32_t y)
{
    return rows[y * bit_row(r) + x / 8] >> (7 - x % 8) & 1;
}

static int is_too_large(kernel *k, const rectangle *r)
{
    if (r->at.width <= k->largest_cursor && r->at.height <= k->largest_cursor)
        return 0;
    refuse(k, "a pointer larger than %u pixels", k->largest_cursor);
    return 1;
}

/* An event with room for the shape, RGBA; where the rectangle lies is its hot spot. */
static uint8_t *new_shape(kernel *k, const rectangle *r)
{
    size_t size = 4 * (size_t)area(&r->at);
    uint8_t *shape = malloc(size ? size : 1);
    if (!shape) {
        OUT_OF_MEMORY(k);
        return NULL;
    }
    event *e = new_event(k, SHAPE);
    e->at = r->at;
    e->shape = shape;
    k->held += size;
    return shape;
}

/* Cursor: pixels, then a mask of bits. */
static int64_t measure_cursor(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    if (is_too_large(k, r))
        return -1;
    return (int64_t)(4 * area(&r->at) + bit_row(r) * r->at.height);
}

static int tell_cursor(kernel *k, const rectangle *r, const uint8_t *payload)
{
    uint8_t *out = new_shape(k, r);
    if (!out)
        return -1;
    const uint8_t *mask = payload + 4 * area(&r->at);
    for (uint32_t y = 0; y < r->at.height; y++)
        for (uint32_t x = 0; x < r->at.width; x++, out += 4, payload += 4) {
            memcpy(out, payload, 3);
            out[3] = has_bit(mask, r, x, y) ? 255 : 0;
        }
    return 0;
}

/* XCursor: two colours, bits that choose the first of them, and a mask. */
static int64_t measure_x_cursor(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    (void)data, (void)size;
    if (is_too_large(k, r))
        return -1;
    return area(&r->at) ? (int64_t)(6 + 2 * bit_row(r) * r->at.height) : 0;
}

static int tell_x_cursor(kernel *k, const rectangle *r, const uint8_t *payload)
{
    uint8_t *out = new_shape(k, r);
    if (!out)
        return -1;
    const uint8_t *bits = payload + 6, *mask = bits + bit_row(r) * r->at.height;
    for (uint32_t y = 0; y < r->at.height; y++)
        for (uint32_t x = 0; x < r->at.width; x++, out += 4) {
            memcpy(out, has_bit(bits, r, x, y) ? payload : payload + 3, 3);
            out[3] = has_bit(mask, r, x, y) ? 255 : 0;
        }
    return 0;
}

/* The one with alpha: an encoding, Raw with all servers, then RGBA multiplied with alpha. */
static int64_t measure_alpha_cursor(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    if (is_too_large(k, r))
        return -1;
    if (size < 4)
        return 4;
    if (u32(data) != RAW) {
        k->unsupported = 1;
        return refuse(k, "a pointer in encoding %d", (int)(int32_t)u32(data));
    }
    return (int64_t)(4 + 4 * area(&r->at));
}

static int tell_alpha_cursor(kernel *k, const rectangle *r, const uint8_t *payload)
{
    uint8_t *out = new_shape(k, r);
    if (!out)
        return -1;
    payload += 4;
    for (uint64_t left = area(&r->at); left; left--, out += 4, payload += 4) {
        unsigned alpha = payload[3] ? payload[3] : 1;
        for (int i = 0; i < 3; i++) {
            unsigned whole = payload[i] * 255u / alpha;
            out[i] = (uint8_t)(whole < 255 ? whole : 255);
        }
        out[3] = payload[3];
    }
    return 0;
}

/* PointerPos: the header says it all; what is off the screen counts as its edge. */
static int64_t measure_pointer(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    (void)k, (void)r, (void)data, (void)size;
    return 0;
}

static int tell_pointer(kernel *k, const rectangle *r, const uint8_t *payload)
{
    (void)payload;
    event *e = new_event(k, POINTER);
    e->at.x = r->at.x < k->width ? r->at.x : k->width - 1;
    e->at.y = r->at.y < k->height ? r->at.y : k->height - 1;
    return 0;
}

/* FRAME, ours: 32 bytes, see `Frame` in types.py. It is told of when its update ends. */
static int64_t measure_frame(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    (void)k, (void)r, (void)data, (void)size;
    return 32;
}

static int tell_frame(kernel *k, const rectangle *r, const uint8_t *payload)
{
    (void)r;
    uint64_t drawn_at = u64(payload + 8), input_at = u64(payload + 24);
    k->frame.drawn = 1;
    k->frame.number = u64(payload);
    k->frame.inputs = u64(payload + 16);
    memcpy(&k->frame.drawn_at, &drawn_at, 8);
    memcpy(&k->frame.input_at, &input_at, 8);
    if (!isfinite(k->frame.drawn_at) || !isfinite(k->frame.input_at))
        return refuse(k, "a frame with a time that is no number");
    return 0;
}

static const teller TELLERS[] = {
    {FRAME, measure_frame, tell_frame},
    {CURSOR, measure_cursor, tell_cursor},
    {X_CURSOR, measure_x_cursor, tell_x_cursor},
    {ALPHA_CURSOR, measure_alpha_cursor, tell_alpha_cursor},
    {POINTER_POSITION, measure_pointer, tell_pointer},
};

const teller *find_teller(int32_t encoding)
{
    for (size_t i = 0; i < sizeof TELLERS / sizeof *TELLERS; i++)
        if (TELLERS[i].encoding == encoding)
            return &TELLERS[i];
    return NULL;
}

void forget_events(kernel *k)
{
    for (size_t i = 0; i < k->event_count; i++)
        free(k->events[i].shape);
    k->event_count = k->held = 0;
}
