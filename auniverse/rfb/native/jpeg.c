/* JPEG, for Tight, through libjpeg-turbo if setup.py has found it. */
#include "kernel.h"

#ifdef AUNIVERSE_TURBOJPEG

#include <turbojpeg.h>

const char *jpeg_library(void) { return "libjpeg-turbo"; }

/* Scans of one picture: one is usual, a progressive one has about ten, and each costs a walk over
   all of it, however short the scan is. */
enum { MOST_SCANS = 16 };

static int scans(const uint8_t *data, size_t size)
{
    int count = 0;
    for (const uint8_t *p = data, *end = data + size; p < end && count <= MOST_SCANS; p++) {
        p = memchr(p, 0xFF, (size_t)(end - p));
        if (!p)
            break;
        count += p + 1 < end && p[1] == 0xDA;
    }
    return count;
}

/* Bytes of coefficients that the library may keep for a picture of several passes. */
enum { MOST_KEPT = 8 << 20, MOST_COMPONENTS = 10 };

/* What leads to the first scan. What cannot be read has no size, and counts as the worst. */
typedef struct {
    uint32_t width, height; /* 0: unknown */
    /* Components that the library keeps whole until their last scan: none where the first scan has
       them all. */
    uint32_t kept;
} heading;

static heading read_heading(const uint8_t *data, size_t size)
{
    heading h = {0, 0, MOST_COMPONENTS};
    uint32_t components = MOST_COMPONENTS;
    int sequential = 0;
    for (size_t at = 2; at + 10 <= size && data[at] == 0xFF;) {
        uint8_t marker = data[at + 1];
        if (marker == 0xFF) { /* fills a gap */
            at++;
        } else if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7)) {
            at += 2;
        } else if (marker == 0xDA) {
            h.kept = sequential && data[at + 4] >= components ? 0 : components;
            return h;
        } else {
            if ((marker & 0xF0) == 0xC0 && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
                sequential = marker == 0xC0 || marker == 0xC1 || marker == 0xC9;
                components = data[at + 9];
                h.height = u16(data + at + 5);
                h.width = u16(data + at + 7);
            }
            at += 2 + (size_t)u16(data + at + 2);
        }
    }
    return (heading){0, 0, MOST_COMPONENTS};
}

static uint64_t kept(const box *at, const heading *h)
{
    uint64_t width = (at->width + 31) & ~31ull, height = (at->height + 31) & ~31ull;
    return 2 * width * height * h->kept;
}

/* Have the library find out how large the picture is, which takes it as long as painting 300 pixels. */
static int ask_size(kernel *k, const uint8_t *data, size_t size, heading *h)
{
    /* They are left alone where a stream has tables but no picture. */
    int width = 0, height = 0, subsampling = 0, colourspace = 0;
    if (tjDecompressHeader3(k->jpeg, data, size, &width, &height, &subsampling, &colourspace))
        return refuse(k, "no JPEG: %s", tjGetErrorStr2(k->jpeg));
    h->width = width < 1 ? 0 : (uint32_t)width;
    h->height = height < 1 ? 0 : (uint32_t)height;
    return 0;
}

/* The size in its header must be the rectangle's before anything is decoded: it says how much is
   written. Besides, the library is told how much it may write. */
int paint_jpeg(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    const box *at = &r->at;
    if (scans(data, size) > MOST_SCANS)
        return refuse(k, "a JPEG of more than %d scans", MOST_SCANS);
    heading h = read_heading(data, size);
    if (kept(at, &h) > MOST_KEPT)
        return refuse(k, "a JPEG of several passes, which is too large for that");
    if (!k->jpeg && !(k->jpeg = tjInitDecompress()))
        return OUT_OF_MEMORY(k);
    if (!h.width && ask_size(k, data, size, &h))
        return -1;
    if (!h.width || !h.height || h.width != at->width || h.height != at->height)
        return refuse(k, "a JPEG of %ux%u pixels", h.width, h.height);
    if (tjDecompress2(k->jpeg, data, size, (uint8_t *)pixel_at(k, at->x, at->y), (int)h.width,
                      (int)k->stride, (int)h.height, TJPF_RGBX, 0))
        return refuse(k, "no JPEG: %s", tjGetErrorStr2(k->jpeg));
    return 0;
}

void jpeg_free(kernel *k)
{
    if (k->jpeg)
        tjDestroy(k->jpeg);
    k->jpeg = NULL;
}

#else

const char *jpeg_library(void) { return NULL; }

int paint_jpeg(kernel *k, const rectangle *r, const uint8_t *data, size_t size)
{
    (void)r, (void)data, (void)size;
    return refuse(k, "JPEG, without a library for it"); /* not reached: see tight_is_foreign */
}

void jpeg_free(kernel *k) { (void)k; }

#endif
