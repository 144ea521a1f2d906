/* Decoder.receive: take what a socket has, and decode it. Bytes go to the memory for what waits, but those
 * of a large Raw rectangle to the screen itself, row by row: its pixels are copied once, by readv. */
#include "binding.h"

#include <errno.h>
#include <sys/uio.h>

enum {
    MOST_ROWS = 256,
    SHORT_ROW = 256, /* bytes; to say where shorter ones go takes longer than to copy them */
    /* Room behind such rows: enough for what leads to the next rectangle, and so little that the
       pixels of that one go to the screen as well. */
    NEXT_HEADER = 4096,
    MUCH = 64 * 1024, /* bytes that came at once: who sends so much has sent more meanwhile */
};

typedef struct {
    int file;
    size_t most; /* bytes */
    Py_ssize_t at_once; /* bytes that are decoded here, unless they are plain pixels; -1: none at all */
} intake;

/* Where the next bytes of a large Raw rectangle belong; return how many these are, 0 if nowhere. */
static size_t rows_of(const kernel *k, size_t most, struct iovec *parts, int *count)
{
    const box *rest = &k->rows;
    size_t row = 4 * (size_t)rest->width, begun = k->begun, bytes = 0;
    uint32_t lines = rest->height;
    if (!lines || row < SHORT_ROW)
        return 0;
    if ((ptrdiff_t)row == k->stride) { /* one behind the other without a gap */
        row *= lines;
        lines = 1;
    }
    for (uint32_t y = 0; y < lines && *count < MOST_ROWS && bytes < most; y++, begun = 0) {
        size_t length = row - begun < most - bytes ? row - begun : most - bytes;
        uint8_t *to = (uint8_t *)pixel_at(k, rest->x, rest->y + y) + begun;
        parts[(*count)++] = (struct iovec){to, length};
        bytes += length;
    }
    return bytes;
}

static ssize_t take(int file, const struct iovec *parts, int count)
{
    ssize_t got;
    do
        got = readv(file, parts, count);
    while (got < 0 && errno == EINTR);
    return got;
}

/* Take once, and decode; return whether there may be more to take. */
static int take_some(Decoder *self, ReceiveBuffer *buffer, const intake *in)
{
    kernel *k = &self->k;
    struct iovec parts[MOST_ROWS + 1];
    int count = 0;
    Py_buffer memory;
    Py_ssize_t needed = (Py_ssize_t)k->needed, room = receive_room(buffer, needed), got;
    if (room < 0 || PyObject_GetBuffer(buffer->memory, &memory, PyBUF_SIMPLE))
        return 0;
    size_t left = in->most - (size_t)self->received, waiting = (size_t)buffer->waiting;
    size_t rows = waiting ? 0 : rows_of(k, left, parts, &count), behind = left - rows;
    if (k->large && needed - buffer->waiting < NEXT_HEADER && behind > NEXT_HEADER)
        behind = NEXT_HEADER;
    behind = behind < (size_t)room ? behind : (size_t)room;
    uint8_t *front = (uint8_t *)memory.buf + buffer->read;
    parts[count++] = (struct iovec){front + waiting, behind};
    int fault;
    k->position = 0;
    Py_BEGIN_ALLOW_THREADS
    got = take(in->file, parts, count);
    fault = errno;
    if (got > 0) {
        size_t placed = (size_t)got < rows ? (size_t)got : rows;
        waiting += (size_t)got - placed;
        if (placed)
            kernel_placed(k, placed);
        self->stop = in->at_once >= 0 && (k->plain || waiting <= (size_t)in->at_once)
            ? kernel_feed(k, front, waiting)
            : STOP_LATER;
    }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&memory);
    buffer->waiting = (Py_ssize_t)waiting;
    receive_consume(buffer, (Py_ssize_t)k->position);
    if (got > 0) {
        self->received += got;
        return self->stop == STOP_WAIT && (size_t)self->received < in->most
            && ((size_t)got == rows + behind || got >= MUCH);
    }
    /* Behind what has come, the end and most errors are met again by who comes back. */
    if (got == 0 && !self->received) {
        PyErr_SetString(PyExc_EOFError, "the other end said that this is the last");
    } else if (got < 0 && !self->received && fault != EAGAIN && fault != EWOULDBLOCK) {
        errno = fault;
        PyErr_SetFromErrno(PyExc_OSError);
    }
    return 0;
}

PyObject *Decoder_receive(Decoder *self, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer screen;
    intake in;
    if (count != 8) {
        PyErr_SetString(PyExc_TypeError,
                        "receive(pixels, buffer, allowance, largest, needed, file, most, at_once)");
        return NULL;
    }
    Py_ssize_t needed = PyLong_AsSsize_t(args[4]);
    in.file = (int)PyLong_AsLong(args[5]);
    Py_ssize_t most = PyLong_AsSsize_t(args[6]);
    in.at_once = PyLong_AsSsize_t(args[7]);
    if (PyErr_Occurred() || needed < 0 || most < 1) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "not that many bytes");
        return NULL;
    }
    in.most = (size_t)most;
    if (decoder_begin(self, args, &screen))
        return NULL;
    self->k.needed = (uint64_t)needed;
    self->received = 0;
    self->stop = STOP_WAIT;
    while (take_some(self, (ReceiveBuffer *)args[1], &in))
        ;
    return decoder_end(self, &screen);
}
