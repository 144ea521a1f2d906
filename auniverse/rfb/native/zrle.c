/* ZRLE and TRLE (RFC 6143 7.7.5, 7.7.6): tiles that are raw, of few colours, or run-length encoded.
 *
 * ZRLE's tiles have 64 pixels a side and come through a zlib stream; TRLE's have 16, come as they
 * are, and may use the palette of an earlier tile of the rectangle.
 */
#include "kernel.h"

enum {
    RAW_TILE = 0,
    SOLID = 1,
    MOST_PACKED = 16,  /* colours, in a tile of packed indices */
    SAME_PACKED = 127, /* TRLE: the palette of the tile before */
    PLAIN_RUNS = 128,
    SAME_RUNS = 129,
    MOST_COLOURS = 127,
    ZRLE_TILE = 64,
    TRLE_TILE = 16,
};

typedef struct {
    uint32_t colours[128];
    uint32_t count; /* 0: there was none yet */
} palette;

/* The most bytes of one tile: a palette, and runs of one pixel. */
static size_t longest_tile(uint64_t pixels)
{
    return 1 + PACKED * MOST_COLOURS + (size_t)pixels * (PACKED + 1);
}

static uint64_t longest_tiles(const box *at, uint64_t side)
{
    uint64_t tiles = (at->width + side - 1) / side * ((at->height + side - 1) / side);
    return tiles * (1 + PACKED * MOST_COLOURS) + area(at) * (PACKED + 1);
}

static int ends_early(kernel *k) { return refuse(k, "its tiles end early"); }

static unsigned index_bits(uint32_t colours) { return colours == 2 ? 1 : colours <= 4 ? 2 : 4; }

/* How the kind of a tile is to be read: how many colours it brings, or whose it uses. */
static int colours_of(kernel *k, unsigned kind, int trle, const palette *last, uint32_t *brings,
                      uint32_t *count)
{
    *brings = kind <= MOST_PACKED ? kind : kind > SAME_RUNS ? kind - PLAIN_RUNS : 0;
    *count = *brings;
    if (kind <= MOST_PACKED || kind == PLAIN_RUNS || kind > SAME_RUNS)
        return 0;
    if (!trle || (kind != SAME_PACKED && kind != SAME_RUNS))
        return refuse(k, "a tile of kind %u", kind);
    if (last->count == 0 || (kind == SAME_PACKED && last->count > MOST_PACKED))
        return refuse(k, "reuses a palette of %u", last->count);
    *count = last->count;
    return 0;
}

static int paint_raw_tile(kernel *k, source *s, const box *tile)
{
    size_t row = PACKED * (size_t)tile->width;
    if (source_has(s) < row * tile->height)
        return ends_early(k);
    for (uint32_t y = 0; y < tile->height; y++, s->at += row)
        expand_rgb(pixel_at(k, tile->x, tile->y + y), s->at, tile->width);
    return 0;
}

static int paint_packed_tile(kernel *k, source *s, const box *tile, const palette *colours)
{
    unsigned bits = index_bits(colours->count);
    int past = 0;
    size_t row = ((size_t)tile->width * bits + 7) / 8;
    if (source_has(s) < row * tile->height)
        return ends_early(k);
    for (uint32_t y = 0; y < tile->height; y++, s->at += row) {
        look_up_packed(pixel_at(k, tile->x, tile->y + y), s->at, tile->width, bits,
                       colours->colours);
        past |= reaches_packed(s->at, tile->width, bits, colours->count);
    }
    if (!past)
        return 0;
    unsigned largest = 0;
    for (uint32_t y = 0; y < tile->height; y++) {
        unsigned most = largest_packed(s->at -= row, tile->width, bits);
        largest = most > largest ? most : largest;
    }
    return refuse(k, "colour %u of a palette of %u", largest, colours->count);
}

/* Where a tile is painted next, from left to right and top to bottom, and how many pixels of it are
   missing. */
typedef struct {
    uint32_t *row;
    uint32_t x;
    uint64_t left;
} cursor;

/* Paint a run that goes on in the rows below. */
static cursor paint_rows(const kernel *k, const box *tile, cursor c, uint64_t length, uint32_t pixel)
{
    while (length) {
        uint32_t count = tile->width - c.x;
        if (count > length)
            count = (uint32_t)length;
        fill_row(c.row + c.x, pixel, count);
        length -= count;
        c.x += count;
        if (c.x == tile->width) {
            c.x = 0;
            c.row = row_below(c.row, k->stride);
        }
    }
    return c;
}

/* Paint a run. Most are short, of lengths that nobody can foresee: where eight pixels of the row are
   left, they all get its colour, and what comes next paints over those that it has too many. */
static inline cursor paint_run(const kernel *k, const box *tile, cursor c, uint64_t length,
                               uint32_t pixel)
{
    enum { AT_ONCE = 8 };
    const uint32_t four[4] = {pixel, pixel, pixel, pixel};
    uint32_t *to = c.row + c.x;
    c.left -= length;
    if (tile->width - c.x < AT_ONCE || length >= tile->width - c.x)
        return paint_rows(k, tile, c, length, pixel);
    memcpy(to, four, sizeof four);
    memcpy(to + 4, four, sizeof four);
    if (length > AT_ONCE)
        fill_row(to + AT_ONCE, pixel, length - AT_ONCE);
    c.x += (uint32_t)length;
    return c;
}

/* Take the length of a run off `at`: one more than the sum of bytes up to the first that is not 255; 0
   if they end. */
static inline uint64_t run_length(const uint8_t **at, const uint8_t *end)
{
    uint64_t length = 1;
    while (*at < end) {
        uint8_t more = *(*at)++;
        length += more;
        if (more != 255)
            return length;
    }
    return 0;
}

static int paint_runs(kernel *k, source *s, const box *tile, const palette *colours)
{
    cursor c = {pixel_at(k, tile->x, tile->y), 0, area(tile)};
    unsigned largest = 0;
    const uint8_t *at = s->at, *const end = s->end;
    while (c.left) {
        uint32_t pixel;
        uint64_t length = 1;
        if (end - at < (colours ? 1 : PACKED))
            return ends_early(k);
        if (colours) {
            unsigned index = *at++;
            if (index & 128)
                length = run_length(&at, end);
            index &= 127;
            largest = index > largest ? index : largest;
            pixel = colours->colours[index];
        } else {
            pixel = packed_pixel(at);
            at += PACKED;
            length = run_length(&at, end);
        }
        if (!length)
            return ends_early(k);
        if (length > c.left)
            return refuse(k, "a run goes %llu pixels past its tile",
                          (unsigned long long)(length - c.left));
        c = paint_run(k, tile, c, length, pixel);
    }
    s->at = at;
    if (colours && largest >= colours->count)
        return refuse(k, "colour %u of a palette of %u", largest, colours->count);
    return 0;
}

static int paint_tile(kernel *k, source *s, const box *tile, palette *last, int trle)
{
    uint32_t brings, count;
    if (source_has(s) < 1)
        return ends_early(k);
    unsigned kind = *s->at++;
    if (kind == RAW_TILE)
        return paint_raw_tile(k, s, tile);
    if (colours_of(k, kind, trle, last, &brings, &count))
        return -1;
    if (source_has(s) < PACKED * (size_t)brings)
        return ends_early(k);
    if (kind == SOLID) {
        fill_box(k, tile->x, tile->y, tile->width, tile->height, packed_pixel(s->at));
        s->at += PACKED;
        return 0;
    }
    for (uint32_t i = 0; i < brings; i++, s->at += PACKED)
        last->colours[i] = packed_pixel(s->at);
    if (brings)
        last->count = brings;
    if (kind < PLAIN_RUNS)
        return paint_packed_tile(k, s, tile, last);
    return paint_runs(k, s, tile, kind == PLAIN_RUNS ? NULL : last);
}

static int paint_tiles(kernel *k, source *s, const box *at, uint32_t side, int trle)
{
    palette last;
    memset(&last, 0, sizeof last);
    for (uint32_t y = 0; at->width && y < at->height; y += side)
        for (uint32_t x = 0; x < at->width; x += side) {
            box tile = {at->x + x, at->y + y, at->width - x < side ? at->width - x : side,
                        at->height - y < side ? at->height - y : side};
            if (source_want(k, s, longest_tile(area(&tile))))
                return -1;
            if (paint_tile(k, s, &tile, &last, trle))
                return -1;
        }
    return 0;
}

int64_t measure_zrle(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    return measure_deflated(k, data, size, longest_tiles(&r->at, ZRLE_TILE));
}

int decode_zrle(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    source s;
    if (source_deflated(k, &s, ZRLE_STREAM, payload + 4, size - 4,
                        longest_tiles(&r->at, ZRLE_TILE)))
        return -1;
    if (paint_tiles(k, &s, &r->at, ZRLE_TILE, 0))
        return -1;
    return source_end(k, &s, 0);
}

/* The length of one TRLE tile, 0 while it is not whole, -1 if refused. */
static int64_t measure_tile(kernel *k, const uint8_t *data, size_t size, const box *tile)
{
    palette last;
    uint32_t brings, count;
    if (!size)
        return 0;
    unsigned kind = data[0];
    uint64_t pixels = area(tile);
    if (kind == RAW_TILE)
        return (int64_t)(1 + PACKED * pixels);
    last.count = k->walked_palette;
    if (colours_of(k, kind, 1, &last, &brings, &count))
        return -1;
    if (brings > SOLID)
        k->walked_palette = brings;
    uint64_t length = 1 + PACKED * (uint64_t)brings;
    if (kind == SOLID)
        return (int64_t)length;
    if (kind < PLAIN_RUNS)
        return (int64_t)(length + ((uint64_t)tile->width * index_bits(count) + 7) / 8
                         * tile->height);
    source s;
    source_plain(&s, data, size);
    if (length > size)
        return (int64_t)length;
    s.at += length;
    while (pixels) {
        size_t head = kind == PLAIN_RUNS ? PACKED : 1;
        if (source_has(&s) < head)
            return 0;
        uint64_t run = 1;
        s.at += head;
        for (int more = kind == PLAIN_RUNS || s.at[-1] & 128; more && run <= pixels; s.at++) {
            if (!source_has(&s))
                return 0;
            run += *s.at;
            more = *s.at == 255;
        }
        if (run > pixels)
            return refuse(k, "a run goes %llu pixels past its tile",
                          (unsigned long long)(run - pixels));
        pixels -= run;
    }
    return s.at - data;
}

/* TRLE says nowhere how long it is: the tiles must be walked, from where that was left off. */
int64_t measure_trle(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    const box *at = &r->at;
    uint64_t across = (at->width + TRLE_TILE - 1) / TRLE_TILE;
    uint64_t tiles = across * ((at->height + TRLE_TILE - 1) / TRLE_TILE);
    while (k->walked_tiles < tiles) {
        uint32_t x = (uint32_t)(k->walked_tiles % across) * TRLE_TILE;
        uint32_t y = (uint32_t)(k->walked_tiles / across) * TRLE_TILE;
        box tile = {0, 0, at->width - x < TRLE_TILE ? at->width - x : TRLE_TILE,
                    at->height - y < TRLE_TILE ? at->height - y : TRLE_TILE};
        size_t rest = size - (size_t)k->walked;
        uint32_t palette_before = k->walked_palette;
        int64_t length = measure_tile(k, data + k->walked, rest, &tile);
        if (length < 0)
            return -1;
        if (length == 0 || (uint64_t)length > rest) {
            k->walked_palette = palette_before;
            return (int64_t)(length ? k->walked + (uint64_t)length : size + 1);
        }
        k->walked += (uint64_t)length;
        k->walked_tiles++;
    }
    return (int64_t)k->walked;
}

int decode_trle(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    source s;
    source_plain(&s, payload, size);
    if (paint_tiles(k, &s, &r->at, TRLE_TILE, 1))
        return -1;
    return source_end(k, &s, 0);
}
