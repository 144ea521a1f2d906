/* Hextile (RFC 6143 7.7.4): tiles of 16 x 16 pixels, each raw, or a background with pieces on it.
 *
 * How long a rectangle is is said nowhere, so that the tiles must be walked anyway: each is painted as
 * soon as it is whole, and nothing but the bytes of one waits. */
#include "kernel.h"

enum {
    SIDE = HEXTILE_SIDE, RAW_TILE = 1, BACKGROUND = 2, FOREGROUND = 4, PIECES = 8, COLOURED = 16,
    PIECE_WORK = 4, /* of a piece, as if it were so many pixels */
};

/* Neighbours of one colour, not painted yet; none if they have no width. The rows of a screen lie so
   far apart that those of a single tile compete for the same lines of the cache: several tiles at
   once take half the time. */
typedef struct {
    box at;
    uint32_t pixel;
} run;

static void end_run(const kernel *k, run *r)
{
    fill_box(k, r->at.x, r->at.y, r->at.width, r->at.height, r->pixel);
    r->at.width = 0;
}

static void lengthen_run(const kernel *k, run *r, const box *tile, uint32_t pixel)
{
    int follows = r->at.width && r->at.y == tile->y && r->at.x + r->at.width == tile->x;
    if (follows && r->pixel == pixel) {
        r->at.width += tile->width;
    } else {
        end_run(k, r);
        *r = (run){*tile, pixel};
    }
}

static box tile_at(const box *at, uint32_t x, uint32_t y)
{
    return (box){at->x + x, at->y + y, at->width - x < SIDE ? at->width - x : SIDE,
                 at->height - y < SIDE ? at->height - y : SIDE};
}

/* How long a tile is, as far as `size` bytes of it tell. */
static size_t tile_length(const box *tile, const uint8_t *data, size_t size)
{
    if (!size)
        return 1;
    unsigned flags = data[0];
    if (flags & RAW_TILE) /* the other bits mean nothing then */
        return 1 + 4 * (size_t)area(tile);
    size_t length = 1 + (flags & BACKGROUND ? 4 : 0) + (flags & FOREGROUND ? 4 : 0);
    if (!(flags & PIECES))
        return length;
    if (size <= length)
        return length + 1;
    return length + 1 + data[length] * (flags & COLOURED ? 6u : 2u);
}

static void paint_raw(kernel *k, const box *tile, const uint8_t *p)
{
    size_t row = 4 * (size_t)tile->width;
    uint8_t *to = (uint8_t *)pixel_at(k, tile->x, tile->y);
    if (tile->width == SIDE) /* a length that the compiler knows is no call */
        for (uint32_t y = 0; y < tile->height; y++, p += 4 * SIDE, to += k->stride)
            memcpy(to, p, 4 * SIDE);
    else
        for (uint32_t y = 0; y < tile->height; y++, p += row, to += k->stride)
            memcpy(to, p, row);
}

static int paint_pieces(kernel *k, const box *tile, const uint8_t *p, uint32_t pixel, int coloured)
{
    k->allowance -= PIECE_WORK * *p;
    for (unsigned count = *p++; count; count--) {
        if (coloured) {
            pixel = whole_pixel(p);
            p += 4;
        }
        uint32_t x = p[0] >> 4, y = p[0] & 15;
        uint32_t width = (p[1] >> 4) + 1u, height = (p[1] & 15) + 1u;
        p += 2;
        if (x + width > tile->width || y + height > tile->height)
            return refuse(k, "a subrectangle outside of its tile");
        if (width + height == 2) /* most are single pixels */
            *pixel_at(k, tile->x + x, tile->y + y) = pixel;
        else
            fill_box(k, tile->x + x, tile->y + y, width, height, pixel);
    }
    return 0;
}

static int paint_tile(kernel *k, const box *tile, const uint8_t *p, run *r)
{
    unsigned flags = *p++;
    if (flags & RAW_TILE) {
        paint_raw(k, tile, p);
        return 0;
    }
    if (flags & BACKGROUND) {
        k->background = whole_pixel(p);
        p += 4;
    }
    if (flags & FOREGROUND) {
        k->foreground = whole_pixel(p);
        p += 4;
    }
    if (!(flags & PIECES)) {
        lengthen_run(k, r, tile, k->background);
        return 0;
    }
    if (tile->width == SIDE) /* a width that the compiler knows is no loop */
        fill_box(k, tile->x, tile->y, SIDE, tile->height, k->background);
    else
        fill_box(k, tile->x, tile->y, tile->width, tile->height, k->background);
    return paint_pieces(k, tile, p, k->foreground, flags & COLOURED);
}

void begin_tiles(kernel *k)
{
    k->tiled = 1;
    k->tile_x = k->tile_y = 0;
    k->background = k->foreground = 0; /* stay until another tile says otherwise */
}

/* Paint the tiles that are whole, as far as the allowance goes; STOP_FULL: that were all. */
enum stop take_tiles(kernel *k, const uint8_t *data, size_t size, size_t *taken)
{
    const box *at = &k->current.at;
    size_t done = 0;
    enum stop stop = STOP_FULL;
    run same = {{0, 0, 0, 0}, 0};
    while (at->width && k->tile_y < at->height) {
        box tile = tile_at(at, k->tile_x, k->tile_y);
        size_t length = tile_length(&tile, data + done, size - done);
        if (k->allowance <= 0) {
            stop = STOP_SPENT;
            break;
        }
        if (length > size - done) {
            k->needed = length;
            stop = STOP_WAIT;
            break;
        }
        if (paint_tile(k, &tile, data + done, &same)) {
            stop = STOP_MALFORMED;
            break;
        }
        done += length;
        count_pixels(k, area(&tile));
        k->tile_x += SIDE;
        if (k->tile_x >= at->width) {
            k->tile_x = 0;
            k->tile_y += SIDE;
        }
    }
    end_run(k, &same);
    *taken = done;
    return stop;
}
