/* From bytes to pixels: the loops that most bytes go through. */
#include "kernel.h"

/* Keeps the compiler from making vectors of a table look-up, which it would put together from
   single elements: three times as slow. */
#if defined(__GNUC__)
#define ONE_BY_ONE(index) __asm__("" : "+r"(index))
#else
#define ONE_BY_ONE(index) (void)0
#endif

static inline uint32_t colour_of(const uint32_t *colours, unsigned index)
{
    ONE_BY_ONE(index);
    return colours[index];
}

void look_up(uint32_t *restrict pixels, const uint8_t *restrict row, size_t count,
             const uint32_t *restrict colours)
{
    for (; count >= 4; count -= 4, pixels += 4, row += 4) {
        pixels[0] = colour_of(colours, row[0]);
        pixels[1] = colour_of(colours, row[1]);
        pixels[2] = colour_of(colours, row[2]);
        pixels[3] = colour_of(colours, row[3]);
    }
    for (; count; count--)
        *pixels++ = colours[*row++];
}

unsigned largest_index(const uint8_t *row, size_t count)
{
    uint8_t largest = 0; /* no wider than what is compared, so that it becomes vectors */
    for (size_t i = 0; i < count; i++)
        largest = row[i] > largest ? row[i] : largest;
    return largest;
}

static unsigned index_at(const uint8_t *row, size_t x, unsigned bits)
{
    return row[x * bits / 8] >> (8 - bits - x * bits % 8) & ((1u << bits) - 1);
}

static void look_up_plainly(uint32_t *restrict pixels, const uint8_t *restrict row, size_t count,
                            unsigned bits, const uint32_t *restrict colours)
{
    static const uint32_t flags[8] = {128, 64, 32, 16, 8, 4, 2, 1};
    size_t x = 0, bytes = count * bits / 8;
    const uint32_t zero = colours[0], one = colours[1];
    if (bits == 1)
        for (size_t i = 0; i < bytes; i++, x += 8)
            for (size_t j = 0; j < 8; j++)
                pixels[x + j] = row[i] & flags[j] ? one : zero;
    else if (bits == 2)
        for (size_t i = 0; i < bytes; i++, x += 4) {
            pixels[x] = colour_of(colours, row[i] >> 6);
            pixels[x + 1] = colour_of(colours, row[i] >> 4 & 3);
            pixels[x + 2] = colour_of(colours, row[i] >> 2 & 3);
            pixels[x + 3] = colour_of(colours, row[i] & 3);
        }
    else
        for (size_t i = 0; i < bytes; i++, x += 2) {
            pixels[x] = colour_of(colours, row[i] >> 4);
            pixels[x + 1] = colour_of(colours, row[i] & 15);
        }
    for (; x < count; x++)
        pixels[x] = colours[index_at(row, x, bits)];
}

unsigned largest_packed(const uint8_t *row, size_t count, unsigned bits)
{
    unsigned largest = 0;
    for (size_t x = 0; x < count; x++) {
        unsigned index = index_at(row, x, bits);
        largest = index > largest ? index : largest;
    }
    return largest;
}

int reaches_packed(const uint8_t *row, size_t count, unsigned bits, unsigned colours)
{
    size_t bytes = count * bits / 8;
    uint8_t found = 0;
    if (colours == 1u << bits)
        return 0;
    if (bits == 1) /* one colour: no bit may be set */
        for (size_t i = 0; i < bytes; i++)
            found |= row[i];
    else if (bits == 2) /* three colours: no two bits of an index may be set */
        for (size_t i = 0; i < bytes; i++)
            found |= row[i] & row[i] >> 1 & 0x55;
    else
        for (size_t i = 0; i < bytes; i++)
            found |= (row[i] >> 4 >= colours) | ((row[i] & 15) >= (int)colours);
    for (size_t x = bytes * 8 / bits; x < count; x++)
        found |= index_at(row, x, bits) >= colours;
    return found != 0;
}

static void expand_plainly(uint32_t *target, const uint8_t *source, size_t count)
{
    for (size_t i = 0; i < count; i++, source += PACKED)
        target[i] = packed_pixel(source);
}

static void pack_plainly(uint8_t *target, const uint8_t *source, size_t count)
{
    for (size_t i = 0; i < count; i++, target += PACKED, source += 4) {
        target[0] = source[0];
        target[1] = source[1];
        target[2] = source[2];
    }
}

static void fill_plainly(uint32_t *row, ptrdiff_t stride, size_t width, size_t height,
                         uint32_t pixel)
{
    for (; height; height--, row = row_below(row, stride))
        fill_row(row, pixel, width);
}

void (*fill_wide)(uint32_t *, ptrdiff_t, size_t, size_t, uint32_t) = fill_plainly;
void (*look_up_packed)(uint32_t *, const uint8_t *, size_t, unsigned,
                       const uint32_t *) = look_up_plainly;
void (*expand_rgb)(uint32_t *, const uint8_t *, size_t) = expand_plainly;
void (*pack_rgb)(uint8_t *, const uint8_t *, size_t) = pack_plainly;

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

__attribute__((target("ssse3"))) static void expand_ssse3(uint32_t *target, const uint8_t *source,
                                                          size_t count)
{
    const __m128i spread = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
    size_t i = 0;
    for (; i + 6 <= count; i += 4, source += 12) { /* 16 bytes are read for 12 */
        __m128i packed = _mm_loadu_si128((const __m128i *)(const void *)source);
        _mm_storeu_si128((__m128i *)(void *)(target + i), _mm_shuffle_epi8(packed, spread));
    }
    expand_plainly(target + i, source, count - i);
}

__attribute__((target("ssse3"))) static void pack_ssse3(uint8_t *target, const uint8_t *source,
                                                        size_t count)
{
    const __m128i squeeze = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    for (; count >= 16; count -= 16, source += 64, target += 48) {
        __m128i part[4];
        for (int i = 0; i < 4; i++)
            part[i] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(const void *)(source + 16 * i)), squeeze);
        __m128i *out = (__m128i *)(void *)target;
        _mm_storeu_si128(out, _mm_or_si128(part[0], _mm_slli_si128(part[1], 12)));
        _mm_storeu_si128(out + 1,
                         _mm_or_si128(_mm_srli_si128(part[1], 4), _mm_slli_si128(part[2], 8)));
        _mm_storeu_si128(out + 2,
                         _mm_or_si128(_mm_srli_si128(part[2], 8), _mm_slli_si128(part[3], 4)));
    }
    pack_plainly(target, source, count);
}

/* Eight pixels: `packed` has their indices, the first one in the highest of 8 * `bits` bits. What is
   above an index in its lane is not looked at. */
__attribute__((target("avx2"))) static inline __m256i eight_pixels(uint32_t packed, unsigned bits,
                                                                   const __m256i colours[2])
{
    const __m256i places = _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    __m256i all = _mm256_set1_epi32((int)packed);
    if (bits == 1) { /* the bit becomes the sign, which chooses */
        __m256i sign = _mm256_sllv_epi32(all, _mm256_sub_epi32(_mm256_set1_epi32(31), places));
        return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(colours[0]),
                                                    _mm256_castsi256_ps(colours[1]),
                                                    _mm256_castsi256_ps(sign)));
    }
    if (bits == 2)
        return _mm256_permutevar8x32_epi32(
            colours[0], _mm256_and_si256(_mm256_srlv_epi32(all, _mm256_slli_epi32(places, 1)),
                                         _mm256_set1_epi32(3)));
    __m256i index = _mm256_srlv_epi32(all, _mm256_slli_epi32(places, 2));
    __m256i low = _mm256_permutevar8x32_epi32(colours[0], index);
    __m256i high = _mm256_permutevar8x32_epi32(colours[1], index);
    return _mm256_castps_si256(_mm256_blendv_ps(
        _mm256_castsi256_ps(low), _mm256_castsi256_ps(high),
        _mm256_castsi256_ps(_mm256_slli_epi32(index, 28))));
}

/* The indices of eight pixels, or of the last few of a row, lie in `bits` bytes or less. */
static inline uint32_t packed_indices(const uint8_t *row, unsigned bits, size_t count)
{
    uint32_t packed = 0;
    for (unsigned i = 0; i < bits; i++)
        packed = packed << 8 | (i < (count * bits + 7) / 8 ? row[i] : 0u);
    return packed;
}

/* The last pixels of a row, fewer than eight. Those before them are put down once more, as stores that
   leave lanes out are slow; a row that has none before is put down in parts. */
__attribute__((target("avx2"))) static inline void look_up_last(uint32_t *pixels, const uint8_t *row,
                                                                size_t count, unsigned bits,
                                                                const __m256i colours[2], int alone)
{
    uint32_t packed = packed_indices(row, bits, count);
    if (!alone) {
        uint64_t both = (uint64_t)packed_indices(row - bits, bits, 8) << 8 * bits | packed;
        packed = (uint32_t)(both >> (8 - count) * bits);
        _mm256_storeu_si256((__m256i *)(void *)(pixels + count - 8),
                            eight_pixels(packed, bits, colours));
        return;
    }
    uint32_t eight[8];
    _mm256_storeu_si256((__m256i *)(void *)eight, eight_pixels(packed, bits, colours));
    for (size_t i = 0; i < count; i++)
        pixels[i] = eight[i];
}

__attribute__((target("avx2"))) static inline void look_up_bits(uint32_t *pixels, const uint8_t *row,
                                                                size_t count, unsigned bits,
                                                                const __m256i colours[2])
{
    int alone = count < 8;
    for (; count >= 8; count -= 8, pixels += 8, row += bits)
        _mm256_storeu_si256((__m256i *)(void *)pixels,
                            eight_pixels(packed_indices(row, bits, 8), bits, colours));
    if (count)
        look_up_last(pixels, row, count, bits, colours, alone);
}

__attribute__((target("avx2"))) static void look_up_avx2(uint32_t *pixels, const uint8_t *row,
                                                         size_t count, unsigned bits,
                                                         const uint32_t *colours)
{
    __m256i table[2];
    if (bits == 1) {
        table[0] = _mm256_set1_epi32((int)colours[0]);
        table[1] = _mm256_set1_epi32((int)colours[1]);
        look_up_bits(pixels, row, count, 1, table);
    } else if (bits == 2) {
        table[0] = _mm256_broadcastsi128_si256(
            _mm_loadu_si128((const __m128i *)(const void *)colours));
        look_up_bits(pixels, row, count, 2, table);
    } else {
        table[0] = _mm256_loadu_si256((const __m256i *)(const void *)colours);
        table[1] = _mm256_loadu_si256((const __m256i *)(const void *)(colours + 8));
        look_up_bits(pixels, row, count, 4, table);
    }
}

/* As many bytes at a time as the processor stores in one turn: twice as fast as half of them. */
__attribute__((target("avx2"))) static void fill_avx2(uint32_t *row, ptrdiff_t stride, size_t width,
                                                      size_t height, uint32_t pixel)
{
    const __m256i eight = _mm256_set1_epi32((int)pixel);
    for (; height; height--, row = row_below(row, stride)) {
        for (size_t i = 0; i + 8 < width; i += 8)
            _mm256_storeu_si256((__m256i *)(void *)(row + i), eight);
        _mm256_storeu_si256((__m256i *)(void *)(row + width - 8), eight);
    }
}

void choose_pixels(void)
{
    if (__builtin_cpu_supports("ssse3")) {
        expand_rgb = expand_ssse3;
        pack_rgb = pack_ssse3;
    }
    if (__builtin_cpu_supports("avx2")) {
        look_up_packed = look_up_avx2;
        fill_wide = fill_avx2;
    }
}

#else

void choose_pixels(void) {}

#endif
