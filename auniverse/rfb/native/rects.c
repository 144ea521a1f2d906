/* Raw, CopyRect, RRE, CoRRE and Zlib (RFC 6143 7.7.1 to 7.7.3; 4 and 6 of the IANA registry). */
#include "kernel.h"

enum {
    MOST_PAINT = 2, /* times a rectangle's area; an honest server paints no pixel twice */
    COPIED = 2048,  /* bytes at a time, see `copy` */
};

/* As memcpy, but piece by piece. From some 2 KB on C libraries leave copying to one instruction of the
   processor, which on many of them is 20 times as slow where the target lies a few bytes behind the
   source, modulo a page; and that is a matter of luck here. */
static void copy(uint8_t *to, const uint8_t *from, size_t count)
{
    for (; count > COPIED; count -= COPIED, to += COPIED, from += COPIED)
        memcpy(to, from, COPIED);
    memcpy(to, from, count);
}

int64_t measure_raw(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    (void)k, (void)data, (void)size;
    return (int64_t)(4 * area(&r->at));
}

/* Paint `count` bytes of a Raw rectangle of which `begun` bytes are there. */
void paint_bytes(const kernel *k, const box *at, size_t begun, const uint8_t *pixels, size_t count)
{
    size_t row = 4 * (size_t)at->width;
    uint8_t *to = (uint8_t *)pixel_at(k, at->x, at->y + (uint32_t)(begun / row)) + begun % row;
    size_t piece = (ptrdiff_t)row == k->stride ? count : row - begun % row;
    for (; count > piece; count -= piece, pixels += piece, piece = row) {
        copy(to, pixels, piece);
        to += k->stride - (ptrdiff_t)(row - piece);
    }
    copy(to, pixels, count);
}

int decode_raw(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    if (size)
        paint_bytes(k, &r->at, 0, payload, size);
    return 0;
}

int64_t measure_copy_rect(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    (void)k, (void)r, (void)data, (void)size;
    return 4;
}

/* The two places may overlap: rows go in the order in which none is overwritten before its turn. */
int decode_copy_rect(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    (void)size;
    const box *to = &r->at;
    uint32_t left = u16(payload), top = u16(payload + 2);
    if ((uint64_t)left + to->width > k->width || (uint64_t)top + to->height > k->height)
        return refuse(k, "copied from (%u, %u), off the screen", left, top);
    if (!area(to))
        return 0;
    size_t row = 4 * (size_t)to->width;
    for (uint32_t i = 0; i < to->height; i++) {
        uint32_t y = top < to->y ? to->height - 1 - i : i;
        memmove(pixel_at(k, to->x, to->y + y), pixel_at(k, left, top + y), row);
    }
    return 0;
}

/* RRE and CoRRE differ in how a place within the rectangle is written: four numbers of 2 bytes or
   of 1. More pieces than pixels are nobody's compression, nor is painting a pixel many times. */
static int64_t measure_pieces(kernel *k, const rectangle *r, const uint8_t *data, size_t size,
                              unsigned number)
{
    if (size < 8)
        return 8;
    uint64_t count = u32(data);
    if (count > area(&r->at))
        return refuse(k, "%llu subrectangles in %llu pixels", (unsigned long long)count,
                      (unsigned long long)area(&r->at));
    return (int64_t)(8 + count * (4 + 4 * number));
}

static int decode_pieces(kernel *k, const rectangle *r, const uint8_t *payload, size_t size,
                         unsigned number)
{
    const uint8_t *end = payload + size;
    const box *at = &r->at;
    uint64_t may_paint = MOST_PAINT * area(at);
    if (area(at))
        fill_box(k, at->x, at->y, at->width, at->height, whole_pixel(payload + 4));
    for (const uint8_t *p = payload + 8; p < end; p += 4 + 4 * number) {
        uint32_t place[4];
        for (unsigned i = 0; i < 4; i++)
            place[i] = number == 1 ? p[4 + i] : u16(p + 4 + 2 * i);
        if (place[0] + place[2] > at->width || place[1] + place[3] > at->height)
            return refuse(k, "a subrectangle outside of it");
        uint64_t paints = (uint64_t)place[2] * place[3];
        if (paints > may_paint)
            return refuse(k, "its subrectangles paint it many times over");
        may_paint -= paints;
        if (paints)
            fill_box(k, at->x + place[0], at->y + place[1], place[2], place[3], whole_pixel(p));
    }
    return 0;
}

int64_t measure_rre(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    return measure_pieces(k, r, data, size, 2);
}

int decode_rre(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    return decode_pieces(k, r, payload, size, 2);
}

int64_t measure_corre(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    return measure_pieces(k, r, data, size, 1);
}

int decode_corre(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    return decode_pieces(k, r, payload, size, 1);
}

int64_t measure_zlib(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    return measure_deflated(k, data, size, 4 * area(&r->at));
}

int decode_zlib(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    source s;
    const box *at = &r->at;
    if (source_deflated(k, &s, ZLIB_STREAM, payload + 4, size - 4, 4 * area(at)))
        return -1;
    uint32_t longest = at->width < PIECE / 4 ? at->width : PIECE / 4; /* of a row, at once */
    for (uint32_t y = 0; at->width && y < at->height; y++)
        for (uint32_t x = 0; x < at->width; x += longest) {
            size_t length = 4 * (size_t)(at->width - x < longest ? at->width - x : longest);
            if (source_want(k, &s, length))
                return -1;
            if (source_has(&s) < length)
                return source_end(k, &s, 1);
            memcpy(pixel_at(k, at->x + x, at->y + y), s.at, length);
            s.at += length;
        }
    return source_end(k, &s, 1);
}
