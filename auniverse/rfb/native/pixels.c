/* Between three bytes a pixel and four: the loops that most bytes go through. */
#include "kernel.h"

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

void choose_pixels(void)
{
    if (__builtin_cpu_supports("ssse3")) {
        expand_rgb = expand_ssse3;
        pack_rgb = pack_ssse3;
    }
}

#else

void choose_pixels(void) {}

#endif
