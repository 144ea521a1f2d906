/* The floor of decoding: what no decoder of these bytes can leave out.
 *
 *     floor PIECES
 *
 * PIECES is a list of operations (see streams.py), each a header of 20 bytes and its data:
 *   I stream   inflate the data, going on in one of 6 zlib streams
 *   R stream   that stream begins anew
 *   J x y w h  decode the data, a JPEG picture, into place
 *   M x y w h  copy so many pixels row by row from one framebuffer to another
 *   U          an update has ended
 * "time N" on stdin: do it all N times; answer with the CPU seconds of all after the first update
 * (of that, if it is alone).
 *
 * Built once for every inflate library at hand: USE_ZLIB_NG, USE_ISAL, else zlib.
 */
#include <stddef.h>

#include "stream.h"

#include <jpeglib.h>

#if defined(USE_ISAL)
#include <isa-l/igzip_lib.h>
typedef struct inflate_state inflater;
#elif defined(USE_ZLIB_NG)
#include <zlib-ng.h>
typedef zng_stream inflater;
#define inflateInit zng_inflateInit
#define inflateReset zng_inflateReset
#define inflate zng_inflate
#else
#include <zlib.h>
typedef z_stream inflater;
#endif

struct operation {
    uint8_t kind, stream;
    uint16_t x, y, width, height, unused[3];
    uint32_t length;
};

static struct {
    uint32_t width, height;
} screen;
static inflater streams[6];
static uint32_t *source, *target;
static unsigned char scratch[1 << 20];
static struct jpeg_decompress_struct jpeg;
static struct jpeg_error_mgr jpeg_errors;

static void reset(inflater *stream)
{
#if defined(USE_ISAL)
    isal_inflate_init(stream);
    stream->crc_flag = ISAL_ZLIB;
#else
    if (inflateReset(stream) != Z_OK) die("no inflate");
#endif
}

static void deflated(inflater *stream, const unsigned char *data, uint32_t length)
{
    stream->next_in = (unsigned char *)data;
    stream->avail_in = length;
    do {
        stream->next_out = scratch;
        stream->avail_out = sizeof scratch;
#if defined(USE_ISAL)
        if (isal_inflate(stream) != ISAL_DECOMP_OK) die("ISA-L refuses");
#else
        int result = inflate(stream, Z_SYNC_FLUSH);
        if (result != Z_OK && result != Z_BUF_ERROR) die("zlib refuses");
#endif
    } while (stream->avail_in || !stream->avail_out);
}

static void picture(const struct operation *op, const unsigned char *data)
{
    jpeg_mem_src(&jpeg, (unsigned char *)data, op->length);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.out_color_space = JCS_EXT_RGBX;
    jpeg_start_decompress(&jpeg);
    if (jpeg.output_width != op->width || jpeg.output_height != op->height) die("a JPEG's size");
    while (jpeg.output_scanline < op->height) {
        JSAMPROW rows[8];
        for (unsigned i = 0; i < 8; i++)
            rows[i] = (JSAMPROW)(target
                + (size_t)(op->y + (jpeg.output_scanline + i) % op->height) * screen.width + op->x);
        unsigned left = op->height - jpeg.output_scanline;
        jpeg_read_scanlines(&jpeg, rows, left < 8 ? left : 8);
    }
    jpeg_finish_decompress(&jpeg);
}

static void copy(const struct operation *op)
{
    for (unsigned row = 0; row < op->height; row++) {
        size_t at = (size_t)(op->y + row) * screen.width + op->x;
        memcpy(target + at, source + at, 4 * (size_t)op->width);
    }
}

static const unsigned char *after(const unsigned char *at)
{
    struct operation op;
    memcpy(&op, at, sizeof op);
    return at + sizeof op + op.length;
}

/* One operation; returns where the next one is. */
static const unsigned char *perform(const unsigned char *at)
{
    struct operation op;
    memcpy(&op, at, sizeof op);
    at += sizeof op;
    switch (op.kind) {
    case 'I': deflated(&streams[op.stream], at, op.length); break;
    case 'R': reset(&streams[op.stream]); break;
    case 'J': picture(&op, at); break;
    case 'M': copy(&op); break;
    }
    return at + op.length;
}

static double run(const unsigned char *data, size_t size)
{
    const unsigned char *at = data, *end = data + size;
    for (int i = 0; i < 6; i++) reset(&streams[i]);
    const unsigned char *second = at;
    while (second < end && *second != 'U') second = after(second);
    if (second + sizeof(struct operation) < end)
        while (at < second) at = perform(at);
    double started = cpu_seconds();
    while (at < end) at = perform(at);
    return cpu_seconds() - started;
}

int main(int argc, char **argv)
{
    char line[64];
    size_t size;
    if (argc != 2) return 2;
    const unsigned char *data = read_file(argv[1], &size);
    memcpy(&screen, data, sizeof screen);
    size_t bytes = (size_t)screen.width * screen.height * 4;
    source = malloc(bytes);
    target = malloc(bytes);
    memset(source, 1, bytes);
    memset(target, 2, bytes);
    jpeg.err = jpeg_std_error(&jpeg_errors);
    jpeg_create_decompress(&jpeg);
#if !defined(USE_ISAL)
    for (int i = 0; i < 6; i++) inflateInit(&streams[i]);
#endif
    while (fgets(line, sizeof line, stdin)) {
        double seconds = 0;
        for (int pass = atoi(line + 4); pass > 0; pass--)
            seconds += run(data + sizeof screen, size - sizeof screen);
        printf("%.9f\n", seconds);
        fflush(stdout);
    }
    return 0;
}
