/* A socket in memory, for a client that takes from it by readv: loaded before everything else
 * (LD_PRELOAD), so that no system call is between the client and the bytes. One readv() is one copy
 * of what it asks for, as libvncclient's read() is in libvnc_decode.c.
 *
 * It gives one chunk after the other, never parts of two at once, as a socket gives what is there. */
#define _GNU_SOURCE
#include "copy.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* No file has this number. */
enum { THE_STREAM = 1 << 20 };

static __thread const unsigned char *next_byte;
static __thread const size_t *next_size; /* of the chunks; the first is what is left of this one */
static __thread size_t left, chunks;

/* Have so many chunks, of these sizes, for this thread; they must stay where they are. */
void hold(const void *data, const size_t *sizes, size_t count)
{
    next_byte = data;
    next_size = sizes;
    chunks = count;
    left = 0;
}

ssize_t readv(int file, const struct iovec *parts, int count)
{
    size_t given = 0;
    if (file != THE_STREAM)
        return syscall(SYS_readv, file, parts, count);
    if (!left) {
        if (!chunks) {
            errno = EAGAIN;
            return -1;
        }
        left = *next_size++;
        chunks--;
    }
    for (int i = 0; i < count && left; i++) {
        size_t size = parts[i].iov_len < left ? parts[i].iov_len : left;
        copy_bytes(parts[i].iov_base, next_byte, size);
        next_byte += size;
        left -= size;
        given += size;
    }
    return (ssize_t)given;
}
