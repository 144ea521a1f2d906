/* FramebufferUpdates (RFC 6143 7.6.1): from rectangle to rectangle, and what came of them. */
#include "kernel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const painter PAINTERS[] = {
    {RAW, measure_raw, decode_raw, 1},
    {COPY_RECT, measure_copy_rect, decode_copy_rect, 1},
    {RRE, measure_rre, decode_rre, 0},
    {CORRE, measure_corre, decode_corre, 0},
    {ZLIB, measure_zlib, decode_zlib, 0},
    {TIGHT, measure_tight, decode_tight, 0},
    {TRLE, measure_trle, decode_trle, 0},
    {ZRLE, measure_zrle, decode_zrle, 0},
};

void kernel_init(kernel *k) { memset(k, 0, sizeof *k); }

void kernel_free(kernel *k)
{
    for (int i = 0; i < STREAMS; i++)
        stream_free(k->streams[i]);
    damage_clear(&k->painted);
    forget_events(k);
    jpeg_free(k);
    kernel_init(k);
}

int refuse(kernel *k, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(k->reason, sizeof k->reason, format, values);
    va_end(values);
    return -1;
}

static const painter *find(int32_t encoding)
{
    for (size_t i = 0; i < sizeof PAINTERS / sizeof *PAINTERS; i++)
        if (PAINTERS[i].encoding == encoding)
            return &PAINTERS[i];
    return NULL;
}

/* Updates of which there is nothing more to say than that they ended become one event. */
static void end_update(kernel *k)
{
    if (k->frame.drawn || !k->event_count || k->events[k->event_count - 1].kind != UPDATES) {
        k->frame.updates = k->frame.rectangles = 0;
        k->events[k->event_count++] = k->frame;
        k->frame.drawn = 0;
    }
    event *last = &k->events[k->event_count - 1];
    last->updates++;
    last->rectangles += k->seen;
    k->inside = 0;
    k->seen = 0;
    k->allowance -= RECTANGLE_WORK;
    k->updates++;
}

static void end_rectangle(kernel *k, size_t length, uint32_t left)
{
    k->position += length;
    k->left = left;
    k->seen++;
    k->rectangles++;
    count_work(k, RECTANGLE_WORK);
    k->tiled = 0;
    k->taken = k->walked = k->walked_tiles = k->walked_palette = 0;
}

int off_screen(const kernel *k, const box *at)
{
    return (uint64_t)at->x + at->width > k->width || (uint64_t)at->y + at->height > k->height;
}

static size_t missing_rows(const kernel *k)
{
    return 4 * (size_t)k->rows.width * k->rows.height - k->begun;
}

/* Note that `count` bytes more of a large Raw rectangle are on the screen, whatever the allowance. */
void kernel_placed(kernel *k, size_t count)
{
    box *rest = &k->rows;
    size_t row = 4 * (size_t)rest->width, end = k->begun + count;
    box touched = {rest->x, rest->y, rest->width, (uint32_t)((end + row - 1) / row)};
    damage_note(&k->painted, &touched, k->width, k->height);
    count_pixels(k, end / 4 - k->begun / 4);
    rest->y += (uint32_t)(end / row);
    rest->height -= (uint32_t)(end / row);
    k->begun = end % row;
    if (!rest->height)
        end_rectangle(k, 0, k->left - 1);
}

/* Take what has come of it, to the byte, so that nothing of it need wait: the memory for what waits
   stays small, and in the cache. */
static enum stop take_rows(kernel *k, const uint8_t *data, size_t size)
{
    size_t missing = missing_rows(k), count = size < missing ? size : missing;
    if (!size) {
        k->needed = 1;
        return STOP_WAIT;
    }
    paint_bytes(k, &k->rows, k->begun, data, count);
    k->position += count;
    kernel_placed(k, count);
    return STOP_FULL;
}

/* Whether the running rectangle is longer than any compression makes it. */
static int too_long(kernel *k, uint64_t length)
{
    uint64_t pixels = area(&k->current.at);
    return length > 4 * pixels + LONGER
        && refuse(k, "%llu bytes for %llu pixels", (unsigned long long)length,
                  (unsigned long long)pixels);
}

/* Take the whole tiles of what has come of a Hextile rectangle. */
static enum stop take_hextile(kernel *k, const uint8_t *data, size_t size)
{
    const box *at = &k->current.at;
    box touched = {at->x, at->y + k->tile_y, at->width, 0};
    size_t count = 0;
    enum stop stop = take_tiles(k, data, size, &count);
    if (stop == STOP_MALFORMED)
        return stop;
    if (count) {
        uint32_t end = at->y + k->tile_y + (k->tile_x ? HEXTILE_SIDE : 0), bottom = at->y + at->height;
        touched.height = (end < bottom ? end : bottom) - touched.y;
        damage_note(&k->painted, &touched, k->width, k->height);
    }
    k->position += count;
    k->taken += count;
    if (too_long(k, k->taken - RECTANGLE_SIZE + k->needed))
        return STOP_MALFORMED;
    if (stop == STOP_FULL)
        end_rectangle(k, 0, k->left - 1);
    return stop;
}

/* Hear what a rectangle says that paints nothing; to be read, it costs as much as a painted one. */
static enum stop take_told(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    const teller *t = find_teller(r->encoding);
    if (!t)
        return STOP_FOREIGN;
    k->unsupported = 0;
    int64_t length = t->measure(k, r, payload, size);
    if (length >= 0 && (uint64_t)length > size) {
        k->needed = RECTANGLE_SIZE + (uint64_t)length;
        return STOP_WAIT;
    }
    if (length < 0 || t->tell(k, r, payload))
        return k->unsupported ? STOP_UNSUPPORTED : STOP_MALFORMED;
    k->allowance -= (int64_t)area(&r->at);
    end_rectangle(k, RECTANGLE_SIZE + (size_t)length, k->left - 1);
    return STOP_FULL;
}

/* Take the rectangle at `data`; STOP_FULL stands for "go on". */
static enum stop take_rectangle(kernel *k, const uint8_t *data, size_t size)
{
    if (size < RECTANGLE_SIZE) {
        k->needed = RECTANGLE_SIZE;
        return STOP_WAIT;
    }
    rectangle r = {{u16(data), u16(data + 2), u16(data + 4), u16(data + 6)},
                   (int32_t)u32(data + 8)};
    const uint8_t *payload = data + RECTANGLE_SIZE;
    size -= RECTANGLE_SIZE;
    k->current = r;
    if (r.encoding == LAST_RECT) {
        end_rectangle(k, RECTANGLE_SIZE, 0);
        return STOP_FULL;
    }
    const painter *p = find(r.encoding);
    if (!p && r.encoding != HEXTILE)
        return take_told(k, &r, payload, size);
    if (off_screen(k, &r.at)) {
        refuse(k, "off the screen of %ux%u pixels", k->width, k->height);
        return STOP_MALFORMED;
    }
    if (r.encoding == HEXTILE) {
        begin_tiles(k);
        k->large = k->plain = 0;
        k->position += RECTANGLE_SIZE;
        k->taken = RECTANGLE_SIZE;
        return STOP_FULL;
    }
    if (r.encoding == TIGHT && tight_is_foreign(k, payload, size))
        return STOP_FOREIGN;
    k->unsupported = 0;
    int64_t length = p->measure(k, &r, payload, size);
    if (length >= 0 && too_long(k, (uint64_t)length))
        length = -1;
    if (r.encoding == RAW && length >= LARGE_RAW) {
        k->rows = r.at;
        k->begun = 0;
        k->position += RECTANGLE_SIZE;
        k->taken = RECTANGLE_SIZE;
        k->large = k->plain = 1;
        return STOP_FULL;
    }
    k->large = 0;
    k->plain = r.encoding == RAW || (k->plain && r.encoding == COPY_RECT);
    if (length >= 0 && (uint64_t)length > size) {
        k->needed = RECTANGLE_SIZE + (uint64_t)length;
        return STOP_WAIT;
    }
    if (length >= 0 && !p->copies && area(&r.at) > (uint64_t)k->largest)
        return STOP_LARGE;
    if (length < 0 || p->decode(k, &r, payload, (size_t)length))
        return k->unsupported ? STOP_UNSUPPORTED : STOP_MALFORMED;
    damage_note(&k->painted, &r.at, k->width, k->height);
    count_pixels(k, area(&r.at));
    end_rectangle(k, RECTANGLE_SIZE + (size_t)length, k->left - 1);
    return STOP_FULL;
}

/* Forget what the feeds before came to. */
void kernel_begin(kernel *k)
{
    k->needed = 0;
    k->updates = k->rectangles = 0;
    k->painted_pixels = 0;
    forget_events(k);
}

enum stop kernel_feed(kernel *k, const uint8_t *data, size_t size)
{
    k->needed = 0;
    k->position = 0;
    for (;;) {
        size_t left = size - k->position;
        if (k->event_count == EVENTS || k->held >= MOST_HELD
            || k->answered > sizeof k->answers - LONGEST_ANSWER)
            return STOP_FULL;
        if (k->inside && k->left == 0) {
            end_update(k);
        } else if (k->allowance <= 0) {
            return STOP_SPENT;
        } else if (k->inside) {
            enum stop stop = (k->rows.height ? take_rows : k->tiled ? take_hextile : take_rectangle)(
                k, data + k->position, left);
            if (stop != STOP_FULL)
                return stop;
        } else if (left && k->fences && data[k->position] == FENCE) {
            enum stop stop = take_fence(k, data + k->position, left);
            if (stop != STOP_FULL)
                return stop;
        } else if (left == 0 || data[k->position] != 0) {
            return STOP_WAIT;
        } else if (left < UPDATE_SIZE) {
            k->needed = UPDATE_SIZE;
            return STOP_WAIT;
        } else {
            k->left = u16(data + k->position + 2);
            k->inside = 1;
            k->position += UPDATE_SIZE;
        }
    }
}
