/* A stream as streams.py writes it: ServerInit, then FramebufferUpdates, each with its length
 * (u32, this machine's byte order) in front. Shared by the programs that replay one. */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct piece {
    const unsigned char *data;
    uint32_t length;
};

struct stream {
    struct piece init;
    uint32_t count;
    struct piece *updates;
};

static void die(const char *why)
{
    printf("error %s\n", why);
    exit(1);
}

static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) die("cannot open the stream");
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    unsigned char *data = malloc(*size + 1);
    if (!data || fread(data, 1, *size, file) != *size) die("cannot read the stream");
    fclose(file);
    return data;
}

static __attribute__((unused)) struct stream read_stream(const char *path)
{
    size_t size, at = 0;
    const unsigned char *data = read_file(path, &size);
    struct stream stream = {{0, 0}, 0, malloc(sizeof(struct piece) * (size / 4 + 1))};
    while (at + 4 <= size) {
        struct piece piece;
        memcpy(&piece.length, data + at, 4);
        piece.data = data + at + 4;
        at += 4 + (size_t)piece.length;
        if (at > size) die("the stream is cut off");
        if (!stream.init.data)
            stream.init = piece;
        else
            stream.updates[stream.count++] = piece;
    }
    return stream;
}

static __attribute__((unused)) double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static __attribute__((unused)) double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
