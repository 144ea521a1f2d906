/* memcpy whose speed is no matter of luck, for sockets in memory.
 *
 * From some 2 KB on C libraries leave copying to one instruction of the processor, which on many of
 * them is 10 to 20 times as slow where the target lies a few bytes behind the source, modulo a page;
 * smaller steps are still 3 times as slow there. Where a client's memory lies is chance, and should
 * decide nothing: so both clients' bytes are copied in steps, through the first cache where it is so. */
#ifndef COPY_H
#define COPY_H

#include <stdint.h>
#include <string.h>

enum { PAGE_SIZE = 4096, NEAR = 64, STEP = 2032 };

static inline void copy_bytes(void *target, const void *source, size_t count)
{
    static __thread unsigned char between[3 * PAGE_SIZE];
    unsigned char *to = target;
    const unsigned char *from = source;
    uintptr_t behind = ((uintptr_t)to - (uintptr_t)from) % PAGE_SIZE;
    unsigned char *half = between /* as far as can be from both */
        + ((uintptr_t)from + PAGE_SIZE / 2 - (uintptr_t)between) % PAGE_SIZE;
    while (count) {
        size_t step = count < STEP ? count : STEP;
        if (step > NEAR && behind && behind < NEAR) {
            memcpy(half, from, step);
            memcpy(to, half, step);
        } else {
            memcpy(to, from, step);
        }
        to += step, from += step, count -= step;
    }
}

#endif
