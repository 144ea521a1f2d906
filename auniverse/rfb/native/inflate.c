/* Deflated payloads as something to read from, bounded, whatever a stranger has deflated. */
#include "inflate.h"
#include "kernel.h"

#include <stdlib.h>

/* Inflated at a time, unless more is wanted at once: so much that it is still in the fastest cache
   when it is painted. */
enum { BATCH = 16 * 1024 };

void stream_free(stream *s) { free(s); }

/* Make stream `which` new; most are never used, so they get their memory when they are. */
void stream_reset(kernel *k, int which)
{
    if (k->streams[which])
        deflate_open(k->streams[which]);
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
    stream *from = k->streams[which];
    if (!from) {
        from = k->streams[which] = malloc(sizeof *from);
        if (!from)
            return OUT_OF_MEMORY(k);
        deflate_open(from);
    }
    if (from->phase == ENDED)
        return refuse(k, "the zlib stream had ended before");
    s->from = from;
    s->at = s->end = from->window + from->end;
    s->deflated = data;
    s->deflated_end = data + size;
    s->limit = s->allowed = at_most;
    s->drained = 0;
    return 0;
}

/* Have room for `count` bytes behind those that are not read yet; what matches may refer to stays. */
static void slide(source *s, size_t count)
{
    stream *from = s->from;
    size_t rest = source_has(s), kept = rest > HISTORY ? rest : HISTORY;
    if (from->end - rest + count <= HISTORY + AHEAD)
        return;
    memmove(from->window, from->window + from->end - kept, kept);
    from->end = kept;
    s->end = from->window + kept;
    s->at = s->end - rest;
}

/* Inflate until `count` bytes (at most AHEAD) are there, or the payload is used up. One byte more
   than is allowed is asked for, so that surplus never stays behind unseen in the stream. */
int source_fill(kernel *k, source *s, size_t count)
{
    stream *from = s->from;
    size_t wanted = count > BATCH ? count : BATCH;
    slide(s, wanted);
    size_t before = from->end, until = before - source_has(s) + wanted;
    if (until - before > s->allowed + 1)
        until = before + (size_t)s->allowed + 1;
    deflate_run(from, &s->deflated, s->deflated_end, until);
    s->end = from->window + from->end;
    if (from->phase == BROKEN)
        return refuse(k, "no zlib stream");
    if (from->end - before > s->allowed)
        return refuse(k, "it inflates to more than %llu bytes", (unsigned long long)s->limit);
    s->allowed -= from->end - before;
    s->drained = from->end < until;
    if (s->drained && s->deflated != s->deflated_end)
        return refuse(k, "the zlib stream ends before its data");
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
