/* A smaller picture: every target pixel is the mean of the area that it covers.

   Exact, in integers, so that a part of the target comes out the same whether it is computed alone
   or with the rest. Where `length` source pixels become `count`, cut each of them into `count` parts:
   then each target pixel is made of `length` parts, and whole numbers say how many of whose. */
#include "kernel.h"

#include <stdlib.h>

/* The luma of ITU-R 601 in 1/65536. */
enum { RED = 19595, GREEN = 38470, BLUE = 7471 };

/* So many bytes can be added in 16 bits. */
enum { ROWS_AT_ONCE = 256 };

/* Bytes that are fetched at once; those of a row between two requests, as too many at a time are
   dropped; rows. */
enum { LINE = 64, PIECE_ADDED = 256, ROWS_AHEAD = 2 };

/* The source pixels of one target pixel, and how many parts of the outer ones: all of what lies in
   between. Where there is only one, it is the first. */
typedef struct {
    uint32_t first, last, head, tail;
} span;

static span span_of(uint32_t at, uint32_t length, uint32_t count)
{
    uint64_t from = (uint64_t)at * length, to = from + length;
    span s = {(uint32_t)(from / count), (uint32_t)((to - 1) / count), length, 0};
    if (s.last > s.first) {
        s.head = (uint32_t)((s.first + 1ull) * count - from);
        s.tail = (uint32_t)(to - (uint64_t)s.last * count);
    }
    return s;
}

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS void add_bytes(uint16_t *restrict sums, const uint8_t *restrict row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] = (uint16_t)(sums[i] + row[i]);
}

ALWAYS void add_sums(uint32_t *restrict sums, const uint16_t *restrict more, size_t count,
                     uint32_t weight)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += weight * more[i];
}

/* Add a row, and ask for one that comes later: rows are far apart, and the processor, which guesses
   what is needed next within a page, does not guess that. */
ALWAYS void add_row(uint16_t *restrict sums, const uint8_t *row, size_t count, ptrdiff_t later)
{
    for (size_t at = 0; at < count; at += PIECE_ADDED) {
        for (size_t line = 0; later && line < PIECE_ADDED; line += LINE)
            __builtin_prefetch(row + later + at + line);
        add_bytes(sums + at, row + at, count - at < PIECE_ADDED ? count - at : PIECE_ADDED);
    }
}

/* Downwards first, whole rows at once: the compiler makes vectors of it. */
ALWAYS void add_rows(uint32_t *restrict sums, uint16_t *restrict bytes, const uint8_t *source,
                     ptrdiff_t stride, span s, size_t count, uint32_t weight)
{
    const uint8_t *restrict head = source + (ptrdiff_t)s.first * stride;
    const uint8_t *restrict tail = source + (ptrdiff_t)s.last * stride;
    uint32_t y = s.first + 1, end = y;
    do {
        end = s.last > y + ROWS_AT_ONCE ? y + ROWS_AT_ONCE : s.last;
        memset(bytes, 0, sizeof *bytes * count);
        for (uint32_t row = y; row < end; row++)
            add_row(bytes, source + (ptrdiff_t)row * stride, count,
                    row + ROWS_AHEAD <= s.last ? ROWS_AHEAD * stride : 0);
        if (y == s.first + 1) {
            for (size_t i = 0; i < count; i++)
                sums[i] = s.head * head[i] + s.tail * tail[i] + weight * bytes[i];
        } else {
            add_sums(sums, bytes, count, weight);
        }
        y = end;
    } while (y < s.last);
}

/* Then sideways: from sums of RGBX columns to the sum of one area. */
ALWAYS void add_columns(uint64_t area[4], const uint32_t *sums, span s, uint32_t weight,
                        uint32_t at_once)
{
    for (int c = 0; c < 4; c++)
        area[c] = (uint64_t)s.head * sums[4 * (size_t)s.first + c]
            + (uint64_t)s.tail * sums[4 * (size_t)s.last + c];
    for (uint32_t x = s.first + 1; x < s.last;) {
        uint32_t end = s.last - x > at_once ? x + at_once : s.last, inside[4] = {0, 0, 0, 0};
        for (; x < end; x++)
            for (int c = 0; c < 4; c++)
                inside[c] += sums[4 * (size_t)x + c];
        for (int c = 0; c < 4; c++)
            area[c] += (uint64_t)weight * inside[c];
    }
}

/* floor(sum / parts), 0 to 255; a reciprocal is off by one at most, and that shows. */
ALWAYS uint8_t divide(uint64_t sum, uint64_t parts, double reciprocal)
{
    uint64_t quotient = (uint64_t)((double)sum * reciprocal);
    if (quotient * parts > sum)
        quotient--;
    else if ((quotient + 1) * parts <= sum)
        quotient++;
    return (uint8_t)quotient;
}

/* The same size, but grey. */
ALWAYS void put_grey(uint8_t *restrict target, const uint8_t *restrict source, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = source + 4 * i;
        uint32_t pixel = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16
            | (uint32_t)p[3] << 24;
        target[i] = (uint8_t)((RED * (pixel & 255) + GREEN * (pixel >> 8 & 255)
                               + BLUE * (pixel >> 16 & 255) + 32768) >> 16);
    }
}

ALWAYS void fill_grey(const picture *source, const picture *target, const box *part)
{
    for (uint32_t y = part->y; y < part->y + part->height; y++)
        put_grey(target->pixels + (ptrdiff_t)y * target->stride + part->x,
                 source->pixels + (ptrdiff_t)y * source->stride + 4 * (size_t)part->x,
                 part->width);
}

/* `sums` has room for every source column from `left` on that the part needs, `bytes` as well. */
ALWAYS void fill_means(const picture *source, const picture *target, const box *part, int grey,
                       uint32_t left, size_t columns, uint32_t *sums, uint16_t *bytes)
{
    uint64_t parts = (uint64_t)source->width * source->height;
    uint32_t at_once = UINT32_MAX / (255 * source->height);
    double reciprocal = 1.0 / (double)parts;
    for (uint32_t y = part->y; y < part->y + part->height; y++) {
        uint8_t *out = target->pixels + (ptrdiff_t)y * target->stride
            + (grey ? 1 : 3) * (size_t)part->x;
        add_rows(sums, bytes, source->pixels + 4 * (size_t)left, source->stride,
                 span_of(y, source->height, target->height), 4 * columns, target->height);
        for (uint32_t x = part->x; x < part->x + part->width; x++) {
            span s = span_of(x, source->width, target->width);
            s.first -= left;
            s.last -= left;
            uint64_t area[4];
            add_columns(area, sums, s, target->width, at_once);
            if (grey) {
                uint64_t sum = RED * area[0] + GREEN * area[1] + BLUE * area[2];
                *out++ = divide((sum + (parts << 15)) >> 16, parts, reciprocal);
            } else {
                for (int c = 0; c < 3; c++)
                    *out++ = divide(area[c] + parts / 2, parts, reciprocal);
            }
        }
    }
}

/* Everything above is compiled once for each kind of processor. */
#define FILLS(kind, attributes) \
    attributes static void grey_##kind(const picture *source, const picture *target, \
                                       const box *part) \
    { \
        fill_grey(source, target, part); \
    } \
    attributes static void means_##kind(const picture *source, const picture *target, \
                                        const box *part, int grey, uint32_t left, \
                                        size_t columns, uint32_t *sums, uint16_t *bytes) \
    { \
        fill_means(source, target, part, grey, left, columns, sums, bytes); \
    }

FILLS(plainly, )

static void (*grey_of)(const picture *, const picture *, const box *) = grey_plainly;
static void (*means_of)(const picture *, const picture *, const box *, int, uint32_t, size_t,
                        uint32_t *, uint16_t *) = means_plainly;

#if defined(__x86_64__) && defined(__GNUC__)

FILLS(avx2, __attribute__((target("avx2"))))

void choose_shrink(void)
{
    if (__builtin_cpu_supports("avx2")) {
        grey_of = grey_avx2;
        means_of = means_avx2;
    }
}

#else

void choose_shrink(void) {}

#endif

/* Fill `part` of the target with its share of the source; -1 if there is no memory for sums. */
int shrink(const picture *source, const picture *target, const box *part, int grey)
{
    if (grey && source->width == target->width && source->height == target->height) {
        grey_of(source, target, part);
        return 0;
    }
    uint32_t left = span_of(part->x, source->width, target->width).first;
    uint32_t right = span_of(part->x + part->width - 1, source->width, target->width).last + 1;
    size_t columns = right - left;
    uint32_t *sums = malloc(4 * columns * (sizeof(uint32_t) + sizeof(uint16_t)));
    if (!sums)
        return -1;
    means_of(source, target, part, grey, left, columns, sums, (uint16_t *)(sums + 4 * columns));
    free(sums);
    return 0;
}

/* The target pixels that have a share in `changed`, a part of the source. */
box shrink_box(const box *changed, const picture *source, const picture *target)
{
    uint64_t left = (uint64_t)changed->x * target->width / source->width;
    uint64_t top = (uint64_t)changed->y * target->height / source->height;
    uint64_t right = changed->x + (uint64_t)changed->width;
    uint64_t bottom = changed->y + (uint64_t)changed->height;
    right = (right * target->width + source->width - 1) / source->width;
    bottom = (bottom * target->height + source->height - 1) / source->height;
    return (box){(uint32_t)left, (uint32_t)top, (uint32_t)(right - left), (uint32_t)(bottom - top)};
}
