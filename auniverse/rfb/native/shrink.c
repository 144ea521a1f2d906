/* A smaller picture: every target pixel is the mean of the area that it covers. */
#include "kernel.h"

#include <stdlib.h>

/* The luma of ITU-R 601 in 1/65536. */
enum { RED = 19595, GREEN = 38470, BLUE = 7471 };

/* How much of source pixel `i` lies in a target pixel, where each is `scale` source pixels long. */
static float share(uint32_t i, double from, double to)
{
    double begin = i > from ? i : from, end = i + 1.0 < to ? i + 1.0 : to;
    return end > begin ? (float)(end - begin) : 0.0f;
}

/* Downwards first, whole rows at once: the compiler makes vectors of it. */
static void add_row(float *restrict sums, const uint8_t *restrict row, size_t count, float weight)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += weight * (float)row[i];
}

/* Then sideways: from sums of RGBX columns to sums of RGB areas. */
static void add_columns(float *areas, const float *sums, uint32_t width, uint32_t target_width)
{
    double scale = (double)width / target_width;
    for (uint32_t x = 0; x < target_width; x++, areas += 3) {
        double from = x * scale, to = x + 1 == target_width ? width : (x + 1) * scale;
        areas[0] = areas[1] = areas[2] = 0;
        for (uint32_t i = (uint32_t)from; i < width && i < to; i++) {
            float part = share(i, from, to);
            for (int c = 0; c < 3; c++)
                areas[c] += part * sums[4 * (size_t)i + c];
        }
    }
}

static void put_row(uint8_t *target, const float *areas, uint32_t width, float factor, int grey)
{
    for (uint32_t x = 0; x < width; x++, areas += 3) {
        uint32_t colour[3];
        for (int i = 0; i < 3; i++) {
            colour[i] = (uint32_t)(areas[i] * factor + 0.5f);
            colour[i] = colour[i] > 255 ? 255 : colour[i];
        }
        if (grey) {
            *target++ = (uint8_t)((RED * colour[0] + GREEN * colour[1] + BLUE * colour[2] + 32768)
                                  >> 16);
        } else {
            for (int i = 0; i < 3; i++)
                *target++ = (uint8_t)colour[i];
        }
    }
}

/* Returns -1 if there is no memory for two rows of sums. */
int shrink(const uint8_t *source, ptrdiff_t stride, uint32_t width, uint32_t height,
           uint8_t *target, ptrdiff_t target_stride, uint32_t target_width,
           uint32_t target_height, int grey)
{
    size_t columns = 4 * (size_t)width;
    float *sums = malloc(sizeof *sums * (columns + 3 * (size_t)target_width));
    if (!sums)
        return -1;
    float *areas = sums + columns;
    double scale = (double)height / target_height;
    float factor = (float)((double)target_width * target_height / ((double)width * height));
    for (uint32_t y = 0; y < target_height; y++) {
        double from = y * scale, to = y + 1 == target_height ? height : (y + 1) * scale;
        memset(sums, 0, sizeof *sums * columns);
        for (uint32_t i = (uint32_t)from; i < height && i < to; i++)
            add_row(sums, source + (ptrdiff_t)i * stride, columns, share(i, from, to));
        add_columns(areas, sums, width, target_width);
        put_row(target + (ptrdiff_t)y * target_stride, areas, target_width, factor, grey);
    }
    free(sums);
    return 0;
}
