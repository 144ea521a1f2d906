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

/* Add one source row, shrunk sideways, to the sums of the target's rows. */
static void add_row(float *sums, const uint8_t *row, uint32_t width, uint32_t target_width,
                    float weight)
{
    double scale = (double)width / target_width;
    for (uint32_t x = 0; x < target_width; x++, sums += 3) {
        double from = x * scale, to = x + 1 == target_width ? width : (x + 1) * scale;
        float red = 0, green = 0, blue = 0;
        for (uint32_t i = (uint32_t)from; i < width && i < to; i++) {
            float part = share(i, from, to);
            red += part * row[4 * i];
            green += part * row[4 * i + 1];
            blue += part * row[4 * i + 2];
        }
        sums[0] += weight * red;
        sums[1] += weight * green;
        sums[2] += weight * blue;
    }
}

static void put_row(uint8_t *target, const float *sums, uint32_t width, float factor, int grey)
{
    for (uint32_t x = 0; x < width; x++, sums += 3) {
        uint32_t colour[3];
        for (int i = 0; i < 3; i++) {
            colour[i] = (uint32_t)(sums[i] * factor + 0.5f);
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

/* Returns -1 if there is no memory for one row of sums. */
int shrink(const uint8_t *source, ptrdiff_t stride, uint32_t width, uint32_t height,
           uint8_t *target, ptrdiff_t target_stride, uint32_t target_width,
           uint32_t target_height, int grey)
{
    float *sums = malloc(3 * sizeof *sums * target_width);
    if (!sums)
        return -1;
    double scale = (double)height / target_height;
    float factor = (float)((double)target_width * target_height / ((double)width * height));
    for (uint32_t y = 0; y < target_height; y++) {
        double from = y * scale, to = y + 1 == target_height ? height : (y + 1) * scale;
        memset(sums, 0, 3 * sizeof *sums * target_width);
        for (uint32_t i = (uint32_t)from; i < height && i < to; i++)
            add_row(sums, source + (ptrdiff_t)i * stride, width, target_width,
                    share(i, from, to));
        put_row(target + (ptrdiff_t)y * target_stride, sums, target_width, factor, grey);
    }
    free(sums);
    return 0;
}
