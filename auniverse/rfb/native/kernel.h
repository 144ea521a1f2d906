/* The decoder in C: what its files share.
 *
 * Theory of operation. A `kernel` is one connection's decoder. `kernel_feed` walks over the bytes of
 * FramebufferUpdates (RFC 6143 7.6.1) without the interpreter: for each rectangle it checks the
 * place, asks the encoding how long the payload is (`measure`), and once all of it is there has it
 * painted (`decode`). Only the bytes of a large Raw rectangle are painted as they come, and so are the
 * tiles of Hextile; those of such a Raw rectangle may even be received where they belong
 * (`kernel_placed`). It stops where the bytes end, where a message of another type begins (but it
 * may read fences, if it is told to), at a rectangle that it does not know (Python's turn), at one that
 * is too large for this turn, or at a breach of the protocol.
 *
 * A stranger wrote the bytes: every coordinate, count and length is checked, in 64 bits, before it
 * is used, and the memory held does not depend on what the stranger says: six zlib streams of some
 * 100 KB each, made when they are first used, through which everything deflated passes piece by
 * piece.
 *
 * Pixels are uint32_t that hold the bytes R, G, B, X in memory order, so that endianness is no
 * matter; X means nothing.
 */
#ifndef AUNIVERSE_KERNEL_H
#define AUNIVERSE_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    RAW = 0, COPY_RECT = 1, RRE = 2, CORRE = 4, HEXTILE = 5, ZLIB = 6, TIGHT = 7, TRLE = 15,
    ZRLE = 16, LAST_RECT = -224, POINTER_POSITION = -232, CURSOR = -239, X_CURSOR = -240,
    ALPHA_CURSOR = -314, FRAME = 0x41554E46
};

/* Why kernel_feed came back. */
enum stop {
    STOP_WAIT,        /* no more whole rectangles; `needed` says how many bytes would help */
    STOP_FULL,        /* as many events as are kept: fetch them and go on */
    STOP_FOREIGN,     /* a rectangle for somebody else; tell `left` and `seen` when it is done */
    STOP_MALFORMED,   /* an impossible place, size or content: `reason` */
    STOP_UNSUPPORTED, /* no such encoding: `reason` */
    STOP_SPENT,       /* the allowance is used up: it is the turn of others */
    STOP_LARGE,       /* a rectangle of more pixels than may be painted at once here */
    STOP_LATER,       /* more has come than may be decoded now: nothing of it was */
};

enum {
    LARGE_RAW = 32 * 1024, /* bytes of a Raw rectangle that is painted as they come */
    PIECE = 64 * 1024,    /* most that may be wanted of a source at once: AHEAD in inflate.h */
    BOXES = 32,           /* of damage that are handed over; Python pays for each of them */
    EVENTS = 256,
    MOST_HELD = 256 * 1024, /* bytes of events, before one more: then they are fetched */
    WIDEST_TIGHT = 2048,
    STREAMS = 6,          /* Tight's four, then: */
    ZLIB_STREAM = 4,
    ZRLE_STREAM = 5,
    RECTANGLE_SIZE = 12,
    UPDATE_SIZE = 4,
    HEXTILE_SIDE = 16,
    LONG_ROW = 128,       /* pixels of one colour that are worth a call */
    RECTANGLE_WORK = 1024, /* of a rectangle besides that of its pixels; as in decoder.py */
    RAW_AT_ONCE = 16,     /* Raw is so much less work than everything else, which is decoded */
    LONGER = 8 << 20,     /* bytes of a rectangle beyond those of its pixels; as in decoder.py */
    PACKED = 3,           /* bytes of a CPIXEL or TPIXEL in our pixel format */
    FENCE = 248,          /* the message */
    LONGEST_ANSWER = 73,  /* bytes of the answer to one */
    MOST_TOLD = 8,        /* bytes of a fence of ours that has come back; ours have no more */
};

typedef struct { uint32_t x, y, width, height; } box;

typedef struct { box at; int32_t encoding; } rectangle;

/* What was painted, see damage.c. All zero is nothing. */
typedef struct {
    box boxes[BOXES];
    size_t count;
    uint8_t *grid; /* one byte a tile; once there is one, it has all and there are no boxes */
    uint32_t bits, across, down, width, height; /* the grid's */
} damage;

/* What there is to tell: */
enum event_kind {
    UPDATES, /* that ended, and the frame that the first of them completes, if any */
    POINTER, /* is elsewhere: `at` */
    SHAPE,   /* of the pointer: size and hot spot in `at`, RGBA in memory of its own */
    REPLIED, /* was to a fence of ours: its `payload`, of so many bytes as are `told` */
};

typedef struct {
    enum event_kind kind;
    uint32_t updates, rectangles;
    int drawn;
    uint64_t number, inputs;
    double drawn_at, input_at;
    box at;
    uint8_t *shape;
    size_t told;
    uint8_t payload[MOST_TOLD];
} event;

typedef struct stream stream; /* one zlib stream, see inflate.c */

typedef struct {
    uint8_t *pixels; /* valid during a feed only, with the three that follow */
    ptrdiff_t stride;
    uint32_t width, height;

    int inside; /* an update */
    uint32_t left, seen;
    rectangle current; /* or the last one that began */
    uint64_t taken;    /* bytes of it that are used up, if it is painted as it comes: */
    event frame; /* the newest FRAME of the running update */
    box rows;     /* of a large Raw rectangle: those that have not come whole */
    size_t begun; /* bytes of the first of them that have come */
    int large, plain; /* the newest rectangle that paints is such a one; is pixels as they are */
    int tiled;     /* Hextile: the next tile, from the corner; and the colours of those before */
    uint32_t tile_x, tile_y, background, foreground;

    size_t position;
    uint64_t needed;
    uint32_t updates, rectangles;
    uint64_t painted_pixels;
    int64_t allowance; /* work that may still be done, in pixels; see Decoder.allowance */
    int64_t largest;   /* rectangle that may be begun, in pixels */
    damage painted; /* by this feed */
    event events[EVENTS];
    size_t event_count, held;
    int fences; /* are read here, and their answers kept: */
    uint8_t answers[4 * LONGEST_ANSWER];
    size_t answered;
    uint32_t largest_cursor; /* pixels of a side */
    char reason[160];
    int unsupported;

    /* How far the payload that is waited for has been measured, so that a server that sends byte
       by byte cannot have the same tiles measured again and again. */
    uint64_t walked;
    uint64_t walked_tiles;
    uint32_t walked_palette;

    stream *streams[STREAMS];
    void *jpeg;
} kernel;

/* Bytes to read: as they are, or inflated piece by piece. */
typedef struct {
    const uint8_t *at, *end; /* what can be read now */
    stream *from;            /* NULL: there is nothing else */
    const uint8_t *deflated;
    const uint8_t *deflated_end;
    uint64_t limit, allowed; /* inflated bytes: in all, and those that may still come */
    int drained;
} source;

/* feed.c */
void kernel_init(kernel *k);
void kernel_free(kernel *k);
void kernel_begin(kernel *k);
enum stop kernel_feed(kernel *k, const uint8_t *data, size_t size);
void kernel_placed(kernel *k, size_t count);
int off_screen(const kernel *k, const box *at);
int refuse(kernel *k, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define OUT_OF_MEMORY(k) refuse((k), "no memory to decode it with")

/* damage.c */
void damage_note(damage *d, const box *b, uint32_t width, uint32_t height);
void damage_move(damage *d, damage *from, uint32_t width, uint32_t height);
void damage_settle(damage *d);
void damage_clear(damage *d);

/* rects.c */
void paint_bytes(const kernel *k, const box *at, size_t begun, const uint8_t *pixels, size_t count);

/* Every painter: the payload's length or the length that must be there to tell more, -1 when
   refused; and 0, or -1 when refused. The place lies on the screen. */
typedef struct {
    int32_t encoding;
    int64_t (*measure)(kernel *, const rectangle *, const uint8_t *data, size_t size);
    int (*decode)(kernel *, const rectangle *, const uint8_t *payload, size_t size);
    int copies; /* moves pixels and nothing else: quick, however many they are */
} painter;
#define PAINTER(name) \
    int64_t measure_##name(kernel *, const rectangle *, const uint8_t *, size_t); \
    int decode_##name(kernel *, const rectangle *, const uint8_t *, size_t)
PAINTER(raw);
PAINTER(copy_rect);
PAINTER(rre);
PAINTER(corre);
PAINTER(zlib);
PAINTER(tight);
PAINTER(trle);
PAINTER(zrle);

/* hextile.c: which is painted as it comes. */
void begin_tiles(kernel *k);
enum stop take_tiles(kernel *k, const uint8_t *data, size_t size, size_t *taken);

/* pseudo.c: the same for what paints nothing. */
typedef struct {
    int32_t encoding;
    int64_t (*measure)(kernel *, const rectangle *, const uint8_t *data, size_t size);
    int (*tell)(kernel *, const rectangle *, const uint8_t *payload);
} teller;
const teller *find_teller(int32_t encoding);
event *new_event(kernel *k, enum event_kind kind);
void forget_events(kernel *k);

/* fence.c */
enum stop take_fence(kernel *k, const uint8_t *data, size_t size);

/* tight.c: whether this rectangle is for Python, because only it may have a JPEG decoder. */
int tight_is_foreign(kernel *k, const uint8_t *data, size_t size);

/* inflate.c */
uint64_t longest_deflated(uint64_t size);
int64_t measure_deflated(kernel *k, const uint8_t *data, size_t size, uint64_t inflated);
void stream_free(stream *s);
void stream_reset(kernel *k, int which);
int source_deflated(kernel *k, source *s, int which, const uint8_t *data, size_t size,
                    uint64_t at_most);
void source_plain(source *s, const uint8_t *data, size_t size);
int source_fill(kernel *k, source *s, size_t count);
int source_end(kernel *k, source *s, int exact);

/* jpeg.c */
const char *jpeg_library(void);
int paint_jpeg(kernel *k, const rectangle *r, const uint8_t *data, size_t size);
void jpeg_free(kernel *k);

/* pixels.c, chosen for the processor when the module is loaded */
void look_up(uint32_t *pixels, const uint8_t *row, size_t count, const uint32_t *colours);
unsigned largest_index(const uint8_t *row, size_t count);
/* The same of indices of 1, 2 or 4 bits; and whether any of them has no colour, which is faster to
   tell. There are so many colours that no fewer bits would do, but for a single one in one bit; there
   is memory for as many as the bits can name. */
extern void (*look_up_packed)(uint32_t *pixels, const uint8_t *row, size_t count, unsigned bits,
                              const uint32_t *colours);
unsigned largest_packed(const uint8_t *row, size_t count, unsigned bits);
int reaches_packed(const uint8_t *row, size_t count, unsigned bits, unsigned colours);
/* Make a box of one colour, LONG_ROW pixels wide or more. */
extern void (*fill_wide)(uint32_t *pixels, ptrdiff_t stride, size_t width, size_t height,
                         uint32_t pixel);
extern void (*expand_rgb)(uint32_t *target, const uint8_t *source, size_t count);
extern void (*pack_rgb)(uint8_t *target, const uint8_t *source, size_t count);
void choose_pixels(void);

/* shrink.c: RGBX becomes RGB or grey; a target of another size has means of areas. */
void choose_shrink(void);
typedef struct {
    uint8_t *pixels;
    ptrdiff_t stride;
    uint32_t width, height;
} picture;
int shrink(const picture *source, const picture *target, const box *part, int grey);
box shrink_box(const box *changed, const picture *source, const picture *target);

/* Make `count` bytes readable; 0 as long as the source has them, or has all that it will have. */
static inline int source_want(kernel *k, source *s, size_t count)
{
    return (size_t)(s->end - s->at) >= count || s->drained ? 0 : source_fill(k, s, count);
}

static inline size_t source_has(const source *s) { return (size_t)(s->end - s->at); }

static inline uint16_t u16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t u64(const uint8_t *p) { return (uint64_t)u32(p) << 32 | u32(p + 4); }

/* Count work of the running rectangle. */
static inline void count_work(kernel *k, uint64_t work)
{
    k->allowance -= (int64_t)(k->current.encoding == RAW ? work / RAW_AT_ONCE : work);
}

static inline void count_pixels(kernel *k, uint64_t count)
{
    count_work(k, count);
    k->painted_pixels += count;
}

static inline uint64_t area(const box *b) { return (uint64_t)b->width * b->height; }

/* Put together in a register: three bytes that are copied into a variable make its reader wait. */
static inline uint32_t packed_pixel(const uint8_t *p)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8;
#else
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
#endif
}

static inline uint32_t whole_pixel(const uint8_t *p)
{
    uint32_t pixel;
    memcpy(&pixel, p, 4);
    return pixel;
}

static inline uint32_t *pixel_at(const kernel *k, uint32_t x, uint32_t y)
{
    return (uint32_t *)(void *)(k->pixels + (ptrdiff_t)y * k->stride) + x;
}

static inline uint32_t *row_below(uint32_t *row, ptrdiff_t stride)
{
    return (uint32_t *)(void *)((uint8_t *)row + stride);
}

/* Most rows are short. What is written twice costs less than to find out whether it need be: one to
   three pixels are the first, the middle and the last, more are fours and the last four once more. */
static inline void fill_row(uint32_t *row, uint32_t pixel, size_t count)
{
    const uint32_t four[4] = {pixel, pixel, pixel, pixel};
    if (count < 4) {
        if (count)
            row[0] = row[count / 2] = row[count - 1] = pixel;
        return;
    }
    for (size_t i = 0; i + 4 < count; i += 4)
        memcpy(row + i, four, sizeof four);
    memcpy(row + count - 4, four, sizeof four);
}

static inline void fill_box(const kernel *k, uint32_t x, uint32_t y, uint32_t width,
                            uint32_t height, uint32_t pixel)
{
    uint32_t *row = pixel_at(k, x, y);
    const ptrdiff_t stride = k->stride; /* in a register: for all that is known, pixels lie on it */
    if (width >= LONG_ROW) {
        fill_wide(row, stride, width, height, pixel);
        return;
    }
    for (; height; height--, row = row_below(row, stride))
        fill_row(row, pixel, width);
}

#endif
