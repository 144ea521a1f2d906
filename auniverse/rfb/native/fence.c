/* Fences (message 248, see extensions.py): a server may put one before and behind every update, so
 * those that stand between updates are read here. One thing is done after the other, so that whatever
 * one demands is met when it is reached. */
#include "kernel.h"

enum {
    HEAD = 9, /* type, three bytes that mean nothing, flags, length of the payload */
    LONGEST = 64,
    UNDERSTOOD = 3, /* BLOCK_BEFORE and BLOCK_AFTER */
};
static const uint32_t REQUEST = 1u << 31;

_Static_assert(HEAD + LONGEST == LONGEST_ANSWER, "as long as the fence that it answers");

static void answer(kernel *k, const uint8_t *fence, size_t size, uint32_t flags)
{
    const uint8_t head[] = {FENCE, 0, 0, 0, 0, 0, 0, flags & UNDERSTOOD, (uint8_t)(size - HEAD)};
    memcpy(k->answers + k->answered, head, HEAD);
    memcpy(k->answers + k->answered + HEAD, fence + HEAD, size - HEAD);
    k->answered += size;
}

/* Take the fence at `data`; STOP_FULL stands for "go on". STOP_WAIT with nothing needed: it is
   refused, or told, by somebody else. */
enum stop take_fence(kernel *k, const uint8_t *data, size_t size)
{
    if (size < HEAD) {
        k->needed = HEAD;
        return STOP_WAIT;
    }
    uint32_t flags = u32(data + 4);
    size_t length = data[HEAD - 1], whole = HEAD + length;
    if (length > (flags & REQUEST ? LONGEST : MOST_TOLD))
        return STOP_WAIT;
    if (size < whole) {
        k->needed = whole;
        return STOP_WAIT;
    }
    if (flags & REQUEST) {
        answer(k, data, whole, flags);
    } else {
        event *e = new_event(k, REPLIED);
        e->told = length;
        memcpy(e->payload, data + HEAD, length);
    }
    k->position += whole;
    k->allowance -= RECTANGLE_WORK;
    return STOP_FULL;
}
