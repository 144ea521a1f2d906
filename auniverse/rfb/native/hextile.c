/* Hextile (RFC 6143 7.7.4): tiles of 16 x 16 pixels, each raw, or a background with pieces on it. */
#include "kernel.h"

enum { SIDE = 16, RAW_TILE = 1, BACKGROUND = 2, FOREGROUND = 4, PIECES = 8, COLOURED = 16 };

static uint64_t tiles_across(const box *at) { return ((uint64_t)at->width + SIDE - 1) / SIDE; }

static uint64_t tiles_of(const box *at)
{
    return tiles_across(at) * (((uint64_t)at->height + SIDE - 1) / SIDE);
}

static box tile_at(const box *at, uint64_t number)
{
    uint32_t x = (uint32_t)(number % tiles_across(at)) * SIDE;
    uint32_t y = (uint32_t)(number / tiles_across(at)) * SIDE;
    return (box){at->x + x, at->y + y, at->width - x < SIDE ? at->width - x : SIDE,
                 at->height - y < SIDE ? at->height - y : SIDE};
}

/* How long a tile is, as far as `size` bytes of it tell. */
static uint64_t tile_length(const box *tile, const uint8_t *data, size_t size)
{
    if (!size)
        return 1;
    unsigned flags = data[0];
    if (flags & RAW_TILE) /* the other bits mean nothing then */
        return 1 + 4 * area(tile);
    size_t length = 1 + (flags & BACKGROUND ? 4 : 0) + (flags & FOREGROUND ? 4 : 0);
    if (!(flags & PIECES))
        return length;
    if (size <= length)
        return length + 1;
    return length + 1 + data[length] * (flags & COLOURED ? 6u : 2u);
}

/* The length is said nowhere: the tiles must be walked, from where that was left off. */
int64_t measure_hextile(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    uint64_t tiles = tiles_of(&r->at);
    while (k->walked_tiles < tiles) {
        size_t rest = size - (size_t)k->walked;
        box tile = tile_at(&r->at, k->walked_tiles);
        uint64_t length = tile_length(&tile, data + k->walked, rest);
        if (length > rest)
            return (int64_t)(k->walked + length);
        k->walked += length;
        k->walked_tiles++;
    }
    return (int64_t)k->walked;
}

static const uint8_t *paint_raw(kernel *k, const box *tile, const uint8_t *p)
{
    size_t row = 4 * (size_t)tile->width;
    uint8_t *to = (uint8_t *)pixel_at(k, tile->x, tile->y);
    if (tile->width == SIDE) /* a length that the compiler knows is no call */
        for (uint32_t y = 0; y < tile->height; y++, p += 4 * SIDE, to += k->stride)
            memcpy(to, p, 4 * SIDE);
    else
        for (uint32_t y = 0; y < tile->height; y++, p += row, to += k->stride)
            memcpy(to, p, row);
    return p;
}

static const uint8_t *paint_pieces(kernel *k, const box *tile, const uint8_t *p, uint32_t pixel,
                                   int coloured)
{
    for (unsigned count = *p++; count; count--) {
        if (coloured) {
            pixel = whole_pixel(p);
            p += 4;
        }
        uint32_t x = p[0] >> 4, y = p[0] & 15;
        uint32_t width = (p[1] >> 4) + 1u, height = (p[1] & 15) + 1u;
        p += 2;
        if (x + width > tile->width || y + height > tile->height) {
            refuse(k, "a subrectangle outside of its tile");
            return NULL;
        }
        fill_box(k, tile->x + x, tile->y + y, width, height, pixel);
    }
    return p;
}

int decode_hextile(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    (void)size; /* measured from the same bytes */
    uint64_t tiles = tiles_of(&r->at);
    uint32_t background = 0, foreground = 0; /* stay until another tile says otherwise */
    const uint8_t *p = payload;
    for (uint64_t number = 0; number < tiles; number++) {
        box tile = tile_at(&r->at, number);
        unsigned flags = *p++;
        if (flags & RAW_TILE) {
            p = paint_raw(k, &tile, p);
            continue;
        }
        if (flags & BACKGROUND) {
            background = whole_pixel(p);
            p += 4;
        }
        if (flags & FOREGROUND) {
            foreground = whole_pixel(p);
            p += 4;
        }
        fill_box(k, tile.x, tile.y, tile.width, tile.height, background);
        if (flags & PIECES && !(p = paint_pieces(k, &tile, p, foreground, flags & COLOURED)))
            return -1;
    }
    return 0;
}
