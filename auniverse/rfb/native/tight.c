/* Tight (encoding 7 of the IANA registry): fills, JPEG, and filtered pixels through one of four
 * zlib streams, or through none where the server says so or where they are few.
 */
#include "kernel.h"

enum {
    SHORTEST_DEFLATED = 12, /* fewer bytes are sent as they are, and without a length */
    EXPLICIT_FILTER = 4,
    FILL = 8,
    JPEG = 9,
    NO_ZLIB = 10, /* these bits of the kind; the others are as in the basic kinds */
    COPY = 0,
    PALETTE = 1,
    GRADIENT = 2,
};

/* Where things are in a payload. If `length` is more than there is, only it counts. */
typedef struct {
    uint64_t length;
    unsigned kind, filter, colours;
    int deflated;
    uint64_t row, size;  /* of the filtered pixels, inflated */
    uint64_t start;      /* of the filtered pixels, or of the JPEG data */
} layout;

/* The compact length at `start`: 7, 7 and 8 bits, the least significant first. */
static int lay_length(const uint8_t *data, size_t size, layout *l, uint64_t *length)
{
    *length = 0;
    for (unsigned shift = 0; shift <= 14; shift += 7) {
        if (size <= l->start) {
            l->length = l->start + 1;
            return 0;
        }
        unsigned byte = data[l->start++];
        *length |= (uint64_t)(shift == 14 ? byte : byte & 127) << shift;
        if (byte < 128)
            break;
    }
    return 1;
}

static int lay_pixels(kernel *k, const uint8_t *data, size_t size, const box *at, layout *l)
{
    uint64_t length;
    if (l->filter == COPY || l->filter == GRADIENT)
        l->row = (uint64_t)at->width * PACKED;
    else if (l->filter == PALETTE)
        l->row = l->colours <= 2 ? ((uint64_t)at->width + 7) / 8 : at->width;
    else
        return refuse(k, "a filter of kind %u", l->filter);
    l->size = l->row * at->height;
    if (l->size < SHORTEST_DEFLATED) {
        l->deflated = 0;
        l->length = l->start + l->size;
        return 0;
    }
    if (!lay_length(data, size, l, &length))
        return 0;
    if (l->deflated ? length > longest_deflated(l->size) : length != l->size)
        return refuse(k, "%llu %s bytes for %llu", (unsigned long long)length,
                      l->deflated ? "deflated" : "plain", (unsigned long long)l->size);
    l->length = l->start + length;
    return 0;
}

/* The most bytes that an honest server makes of so many pixels. */
static uint64_t longest_jpeg(uint64_t pixels) { return 4 * pixels + 64 * 1024; }

static int lay_out(kernel *k, const uint8_t *data, size_t size, const box *at, layout *l)
{
    memset(l, 0, sizeof *l);
    if (at->width > WIDEST_TIGHT)
        return refuse(k, "wider than %d pixels", WIDEST_TIGHT);
    l->length = 1;
    if (!size)
        return 0;
    l->kind = data[0] >> 4;
    l->start = 1;
    if (l->kind == FILL) {
        l->length = 1 + PACKED;
        return 0;
    }
    if (l->kind == JPEG) {
        uint64_t length;
        if (!lay_length(data, size, l, &length))
            return 0;
        if (length > longest_jpeg(area(at)))
            return refuse(k, "%llu bytes of JPEG for %llu pixels", (unsigned long long)length,
                          (unsigned long long)area(at));
        l->length = l->start + length;
        return 0;
    }
    if (l->kind > JPEG && (l->kind & ~EXPLICIT_FILTER) != NO_ZLIB)
        return refuse(k, "a compression of kind %u", l->kind);
    l->deflated = l->kind < FILL;
    if (l->kind & EXPLICIT_FILTER) {
        l->length = 2;
        if (size < l->length)
            return 0;
        l->filter = data[1];
        l->start = 2;
        if (l->filter == PALETTE) {
            l->length = 3;
            if (size < l->length)
                return 0;
            l->colours = data[2] + 1u;
            l->start = 3 + (uint64_t)PACKED * l->colours;
        }
    }
    return lay_pixels(k, data, size, at, l);
}

static void reset_streams(kernel *k, unsigned control)
{
    for (int i = 0; i < 4; i++)
        if (control >> i & 1)
            stream_reset(k, i);
}

/* Without a JPEG library of our own, it is Python's turn; the streams are ours all the same. */
int tight_is_foreign(kernel *k, const uint8_t *data, size_t size)
{
    if (jpeg_library() || !size || data[0] >> 4 != JPEG)
        return 0;
    reset_streams(k, data[0]);
    return 1;
}

int64_t measure_tight(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    layout l;
    return lay_out(k, data, size, &r->at, &l) ? -1 : (int64_t)l.length;
}

typedef struct {
    uint32_t colours[256];
    unsigned count, largest;
    uint32_t above[WIDEST_TIGHT]; /* gradient: the row above, black at first */
} filter_state;

static void paint_indices(uint32_t *pixels, const uint8_t *row, uint32_t width, filter_state *f)
{
    unsigned largest = f->count < 256 ? largest_index(row, width) : 0;
    f->largest = largest > f->largest ? largest : f->largest;
    look_up(pixels, row, width, f->colours);
}

/* A palette of one colour is written in bits, too: a bit that is set has no colour then. */
static void paint_bits(uint32_t *pixels, const uint8_t *row, uint32_t width, filter_state *f)
{
    if (reaches_packed(row, width, 1, f->count))
        f->largest = f->count;
    look_up_packed(pixels, row, width, 1, f->colours);
}

/* Add to every difference what its neighbours predict: left + above - above left, 0 to 255. */
#if defined(__SSE2__)

#include <emmintrin.h>

/* A step of above against above left goes up or down: adding the one and taking off the other, each
   with saturation, is the clamp. */
static void paint_gradient(uint32_t *pixels, const uint8_t *row, uint32_t width, filter_state *f)
{
    __m128i left = _mm_setzero_si128(), corner = left;
    for (uint32_t x = 0; x < width; x++, row += PACKED) {
        __m128i above = _mm_cvtsi32_si128((int)f->above[x]);
        __m128i up = _mm_subs_epu8(above, corner), down = _mm_subs_epu8(corner, above);
        __m128i predicted = _mm_subs_epu8(_mm_adds_epu8(left, up), down);
        left = _mm_add_epi8(_mm_cvtsi32_si128((int)packed_pixel(row)), predicted);
        f->above[x] = pixels[x] = (uint32_t)_mm_cvtsi128_si32(left);
        corner = above;
    }
}

#else

static void paint_gradient(uint32_t *pixels, const uint8_t *row, uint32_t width, filter_state *f)
{
    int left[PACKED] = {0}, corner[PACKED] = {0};
    for (uint32_t x = 0; x < width; x++, row += PACKED) {
        uint8_t above[4];
        memcpy(above, &f->above[x], 4);
        for (int i = 0; i < PACKED; i++) {
            int predicted = left[i] + above[i] - corner[i];
            predicted = predicted < 0 ? 0 : predicted > 255 ? 255 : predicted;
            corner[i] = above[i];
            above[i] = (uint8_t)(row[i] + predicted);
            left[i] = above[i];
        }
        memcpy(&f->above[x], above, 4);
        pixels[x] = f->above[x];
    }
}

#endif

static void paint_row(uint32_t *pixels, const uint8_t *row, uint32_t width, const layout *l,
                      filter_state *f)
{
    if (l->filter == COPY)
        expand_rgb(pixels, row, width);
    else if (l->filter == GRADIENT)
        paint_gradient(pixels, row, width, f);
    else if (l->colours <= 2)
        paint_bits(pixels, row, width, f);
    else
        paint_indices(pixels, row, width, f);
}

static int paint_filtered(kernel *k, source *s, const box *at, const layout *l,
                          const uint8_t *palette)
{
    filter_state f;
    f.count = l->colours;
    f.largest = 0;
    if (l->filter == PALETTE) {
        memset(f.colours, 0, sizeof f.colours);
        for (unsigned i = 0; i < l->colours; i++)
            f.colours[i] = packed_pixel(palette + PACKED * (size_t)i);
    } else if (l->filter == GRADIENT) {
        memset(f.above, 0, sizeof f.above);
    }
    for (uint32_t y = 0; l->row && y < at->height; y++, s->at += l->row) {
        if (source_want(k, s, (size_t)l->row))
            return -1;
        if (source_has(s) < l->row)
            break; /* source_end tells */
        paint_row(pixel_at(k, at->x, at->y + y), s->at, at->width, l, &f);
    }
    if (l->filter == PALETTE && f.largest >= f.count)
        return refuse(k, "colour %u of a palette of %u", f.largest, f.count);
    return 0;
}

int decode_tight(kernel *k, const rectangle *r, const uint8_t *payload, size_t size)
{
    layout l;
    source s;
    const box *at = &r->at;
    if (lay_out(k, payload, size, at, &l))
        return -1;
    reset_streams(k, payload[0]);
    if (l.kind == FILL) {
        if (area(at))
            fill_box(k, at->x, at->y, at->width, at->height, packed_pixel(payload + 1));
        return 0;
    }
    payload += l.start;
    size -= (size_t)l.start;
    if (l.kind == JPEG)
        return area(at) ? paint_jpeg(k, r, payload, size) : 0; /* no JPEG is as small as nothing */
    if (!l.deflated)
        source_plain(&s, payload, size);
    else if (source_deflated(k, &s, l.kind & 3, payload, size, l.size))
        return -1;
    const uint8_t *palette = l.colours ? payload - l.start + 3 : NULL;
    if (paint_filtered(k, &s, at, &l, palette))
        return -1;
    return source_end(k, &s, 1);
}
