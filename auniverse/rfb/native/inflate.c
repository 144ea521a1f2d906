/* Inflating what a stranger has deflated, through the library that setup.py has found. */
#include "kernel.h"

#include <stdlib.h>

enum { RUNNING, ENDED, BROKEN };

#if defined(AUNIVERSE_ISAL)

#include <isa-l.h>

#define TEXT(number) TEXT_(number)
#define TEXT_(number) #number

struct stream {
    int state;
    struct inflate_state z;
};

const char *inflate_library(void)
{
    return "ISA-L " TEXT(ISAL_MAJOR_VERSION) "." TEXT(ISAL_MINOR_VERSION) "." TEXT(
        ISAL_PATCH_VERSION);
}

static int stream_open(stream *s)
{
    isal_inflate_init(&s->z);
    s->z.crc_flag = ISAL_ZLIB;
    return 0;
}

static void stream_close(stream *s) { (void)s; }

/* Inflate what fits; step over what is used up and return how many bytes came of it. */
static size_t stream_run(stream *s, const uint8_t **in, size_t *left, uint8_t *out, size_t room)
{
    uint32_t give = *left > UINT32_MAX ? UINT32_MAX : (uint32_t)*left;
    s->z.next_in = (uint8_t *)(uintptr_t)*in;
    s->z.avail_in = give;
    s->z.next_out = out;
    s->z.avail_out = (uint32_t)room;
    int code = isal_inflate(&s->z);
    *in += give - s->z.avail_in;
    *left -= give - s->z.avail_in;
    if (code < 0 || code == ISAL_NEED_DICT)
        s->state = BROKEN;
    else if (s->z.block_state == ISAL_BLOCK_FINISH) {
        s->state = ENDED;
        *left += (size_t)s->z.read_in_length / 8; /* taken in, and behind the end of the stream */
    }
    return room - s->z.avail_out;
}

#else

#if defined(AUNIVERSE_ZLIB_NG)
#include <zlib-ng.h>
typedef zng_stream z_state;
#define Z(name) zng_##name
#else
#include <zlib.h>
typedef z_stream z_state;
#define Z(name) name
#endif

struct stream {
    int state;
    z_state z;
};

const char *inflate_library(void)
{
#if defined(AUNIVERSE_ZLIB_NG)
    static char name[32] = "zlib-ng ";
    strncpy(name + 8, zlibng_version(), sizeof name - 9);
#else
    static char name[32] = "zlib "; /* one that is compatible says so in its version */
    strncpy(name + 5, zlibVersion(), sizeof name - 6);
#endif
    return name;
}

static int stream_open(stream *s) { return Z(inflateInit)(&s->z) != Z_OK; }

static void stream_close(stream *s) { Z(inflateEnd)(&s->z); }

static size_t stream_run(stream *s, const uint8_t **in, size_t *left, uint8_t *out, size_t room)
{
    uint32_t give = *left > UINT32_MAX ? UINT32_MAX : (uint32_t)*left;
    s->z.next_in = (void *)(uintptr_t)*in;
    s->z.avail_in = give;
    s->z.next_out = out;
    s->z.avail_out = (uint32_t)room;
    int code = Z(inflate)(&s->z, Z_SYNC_FLUSH);
    *in += give - s->z.avail_in;
    *left -= give - s->z.avail_in;
    if (code == Z_STREAM_END)
        s->state = ENDED;
    else if (code != Z_OK && code != Z_BUF_ERROR) /* the latter: no byte came of no byte */
        s->state = BROKEN;
    return room - s->z.avail_out;
}

#endif

void stream_free(stream *s)
{
    if (s)
        stream_close(s);
    free(s);
}

/* Make stream `which` new; most are never used, so they get their memory when they are. */
int stream_reset(kernel *k, int which)
{
    stream_free(k->streams[which]);
    k->streams[which] = NULL;
    return 0;
}

static stream *stream_of(kernel *k, int which)
{
    if (!k->streams[which]) {
        stream *fresh = calloc(1, sizeof *fresh);
        if (fresh && stream_open(fresh)) {
            free(fresh);
            fresh = NULL;
        }
        k->streams[which] = fresh;
    }
    if (!k->scratch)
        k->scratch = malloc(SCRATCH);
    return k->scratch ? k->streams[which] : NULL;
}

/* The most bytes that an honest server makes of `size` bytes, flushes included. */
uint64_t longest_deflated(uint64_t size) { return size + size / 8 + size / 64 + 1024; }

/* The length of deflated data with a length of 4 bytes in front, that included. */
int64_t measure_deflated(kernel *k, const uint8_t *data, size_t size, uint64_t inflated)
{
    if (size < 4)
        return 4;
    uint64_t length = u32(data);
    if (length > longest_deflated(inflated))
        return refuse(k, "%llu deflated bytes for at most %llu", (unsigned long long)length,
                      (unsigned long long)inflated);
    return (int64_t)(4 + length);
}

void source_plain(source *s, const uint8_t *data, size_t size)
{
    memset(s, 0, sizeof *s);
    s->at = data;
    s->end = data + size;
    s->drained = 1;
}

int source_deflated(kernel *k, source *s, int which, const uint8_t *data, size_t size,
                    uint64_t at_most)
{
    memset(s, 0, sizeof *s);
    s->from = stream_of(k, which);
    if (!s->from)
        return OUT_OF_MEMORY(k);
    if (s->from->state == ENDED)
        return refuse(k, "the zlib stream had ended before");
    s->at = s->end = k->scratch;
    s->deflated = data;
    s->deflated_left = size;
    s->limit = s->allowed = at_most;
    return 0;
}

/* Inflate until `count` bytes (at most SCRATCH) are there, or the payload is used up. One byte more
   than is allowed is asked for, so that surplus never stays behind unseen in the stream. */
int source_fill(kernel *k, source *s, size_t count)
{
    size_t rest = source_has(s);
    memmove(k->scratch, s->at, rest);
    s->at = k->scratch;
    uint64_t room = SCRATCH - rest;
    if (room > s->allowed + 1)
        room = s->allowed + 1;
    size_t made = 0;
    while (made < room && !s->drained) {
        size_t before = s->deflated_left;
        size_t more = stream_run(s->from, &s->deflated, &s->deflated_left,
                                 k->scratch + rest + made, (size_t)room - made);
        made += more;
        if (s->from->state == BROKEN)
            return refuse(k, "no zlib stream");
        if (s->from->state == ENDED || (made < room && !s->deflated_left)
            || (!more && s->deflated_left == before))
            s->drained = 1;
    }
    s->end = k->scratch + rest + made;
    if (made > s->allowed)
        return refuse(k, "it inflates to more than %llu bytes", (unsigned long long)s->limit);
    s->allowed -= made;
    if (s->drained && s->deflated_left)
        return refuse(k, "the zlib stream ends before its data");
    (void)count;
    return 0;
}

/* Every source must be ended: it sees to it that the stream has taken all of the payload. */
int source_end(kernel *k, source *s, int exact)
{
    if (!s->drained && source_fill(k, s, 1))
        return -1;
    if (exact && s->allowed)
        return refuse(k, "it inflates to %llu bytes instead of %llu",
                      (unsigned long long)(s->limit - s->allowed), (unsigned long long)s->limit);
    if (s->at != s->end)
        return refuse(k, "%zu bytes after its tiles", source_has(s));
    return 0;
}
