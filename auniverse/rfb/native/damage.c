/* What was painted since somebody asked: few boxes, or the tiles of a grid.
 *
 * Exact boxes as long as there are no more than BOXES; past that only which tiles of a grid they
 * touch. To note a box costs a few nanoseconds either way, however many came before it: servers cut
 * an update into hundreds of rectangles, and a set of boxes that is kept small by looking for the
 * best two to join costs more than painting them. */
#include "kernel.h"

#include <stdlib.h>

enum {
    TILE_BITS = 5, /* a tile of the grid has 32 pixels a side, until it must be coarser */
    RECENT = 4,    /* boxes that a new one may be joined with: what belongs together comes together */
};

static int within(const box *inner, const box *outer)
{
    return inner->x >= outer->x && inner->y >= outer->y
        && inner->x + inner->width <= outer->x + outer->width
        && inner->y + inner->height <= outer->y + outer->height;
}

/* Make `kept` cover `b` as well, if it need not cover anything else for that. */
static int join(box *kept, const box *b)
{
    if (within(b, kept))
        return 1;
    if (within(kept, b)) {
        *kept = *b;
        return 1;
    }
    if (b->x == kept->x && b->width == kept->width && b->y <= kept->y + kept->height
        && kept->y <= b->y + b->height) {
        uint32_t top = b->y < kept->y ? b->y : kept->y;
        uint32_t end = b->y + b->height, kept_end = kept->y + kept->height;
        *kept = (box){b->x, top, b->width, (end > kept_end ? end : kept_end) - top};
        return 1;
    }
    if (b->y == kept->y && b->height == kept->height && b->x <= kept->x + kept->width
        && kept->x <= b->x + b->width) {
        uint32_t left = b->x < kept->x ? b->x : kept->x;
        uint32_t end = b->x + b->width, kept_end = kept->x + kept->width;
        *kept = (box){left, b->y, (end > kept_end ? end : kept_end) - left, b->height};
        return 1;
    }
    return 0;
}

static void mark(damage *d, const box *b)
{
    uint32_t left = b->x >> d->bits, right = (b->x + b->width - 1) >> d->bits;
    uint32_t bottom = (b->y + b->height - 1) >> d->bits;
    for (uint32_t y = b->y >> d->bits; y <= bottom; y++)
        memset(d->grid + (size_t)y * d->across + left, 1, right - left + 1);
}

/* Turn the boxes into marks. Without memory for a grid, the screen is one tile. */
static void begin_grid(damage *d, uint32_t width, uint32_t height)
{
    uint32_t side = 1u << TILE_BITS;
    d->bits = TILE_BITS;
    d->width = width;
    d->height = height;
    d->across = (width + side - 1) >> TILE_BITS;
    d->down = (height + side - 1) >> TILE_BITS;
    d->grid = calloc((size_t)d->across * d->down, 1);
    if (!d->grid) {
        d->boxes[0] = (box){0, 0, width, height};
        d->count = 1;
        return;
    }
    for (size_t i = 0; i < d->count; i++)
        mark(d, &d->boxes[i]);
    d->count = 0;
}

void damage_note(damage *d, const box *b, uint32_t width, uint32_t height)
{
    if (!area(b))
        return;
    if (!d->grid) {
        size_t oldest = d->count > RECENT ? d->count - RECENT : 0;
        for (size_t i = d->count; i-- > oldest;)
            if (join(&d->boxes[i], b))
                return;
        if (d->count < BOXES) {
            d->boxes[d->count++] = *b;
            return;
        }
        begin_grid(d, width, height);
        if (!d->grid)
            return;
    }
    mark(d, b);
}

void damage_clear(damage *d)
{
    free(d->grid);
    d->grid = NULL;
    d->count = 0;
}

/* Move all of `from`, which lies on the same screen, to `d`. */
void damage_move(damage *d, damage *from, uint32_t width, uint32_t height)
{
    if (!d->grid && !d->count) {
        d->grid = from->grid;
        from->grid = NULL;
        d->bits = from->bits;
        d->across = from->across;
        d->down = from->down;
        d->width = from->width;
        d->height = from->height;
        d->count = from->count;
        memcpy(d->boxes, from->boxes, from->count * sizeof *from->boxes);
    } else if (from->grid) {
        if (!d->grid)
            begin_grid(d, width, height);
        for (size_t i = 0; d->grid && i < (size_t)d->across * d->down; i++)
            d->grid[i] |= from->grid[i];
    } else {
        for (size_t i = 0; i < from->count; i++)
            damage_note(d, &from->boxes[i], width, height);
    }
    damage_clear(from);
}

/* Add a run of tiles: to the box that ends above it and is as wide, or as another one. */
static void put_run(damage *d, uint32_t left, uint32_t right, uint32_t y)
{
    uint32_t side = 1u << d->bits, x = left << d->bits, top = y << d->bits;
    uint32_t width = (right << d->bits) > d->width ? d->width - x : (right - left) << d->bits;
    uint32_t height = top + side > d->height ? d->height - top : side;
    for (size_t i = 0; i < d->count; i++) {
        box *b = &d->boxes[i];
        if (b->x == x && b->width == width && b->y + b->height == top) {
            b->height += height;
            return;
        }
    }
    if (d->count < BOXES)
        d->boxes[d->count] = (box){x, top, width, height};
    d->count++; /* past BOXES they are too many */
}

static void put_runs(damage *d)
{
    d->count = 0;
    for (uint32_t y = 0; y < d->down && d->count <= BOXES; y++) {
        const uint8_t *row = d->grid + (size_t)y * d->across;
        for (uint32_t x = 0; x < d->across && d->count <= BOXES; x++) {
            if (!row[x])
                continue;
            uint32_t left = x;
            while (x < d->across && row[x])
                x++;
            put_run(d, left, x, y);
        }
    }
}

/* Tiles of twice the side, in place: what is written has been read. */
static void coarsen(damage *d)
{
    uint32_t across = (d->across + 1) / 2, down = (d->down + 1) / 2;
    for (uint32_t y = 0; y < down; y++)
        for (uint32_t x = 0; x < across; x++) {
            uint8_t any = 0;
            for (uint32_t i = 0; i < 4; i++) {
                uint32_t from_x = 2 * x + i % 2, from_y = 2 * y + i / 2;
                if (from_x < d->across && from_y < d->down)
                    any |= d->grid[(size_t)from_y * d->across + from_x];
            }
            d->grid[(size_t)y * across + x] = any;
        }
    d->across = across;
    d->down = down;
    d->bits++;
}

/* Make boxes of whatever there is; the grid has served. */
void damage_settle(damage *d)
{
    if (!d->grid)
        return;
    for (put_runs(d); d->count > BOXES; put_runs(d))
        coarsen(d);
    free(d->grid);
    d->grid = NULL;
}
