/* Many copies of pixels in one call: the lock is let go of once, however many screens have changed.

   What is copied lies in rows that are far apart, so that the processor, which guesses what is needed
   next within a page, does not guess the next row: it is told, two rows ahead. That halves the time. */
#include "binding.h"

/* Bytes that are fetched at once; pixels between two requests, as too many at a time are dropped;
   rows. */
enum { LINE = 64, STRIDE = 64, AHEAD = 2 };

/* One box of a screen and where it goes. */
typedef struct {
    const uint8_t *from;
    uint8_t *to;
    ptrdiff_t from_stride, to_stride;
    uint32_t width, height;
} copy;

/* What a call holds: two buffers a job, and the copies of all of them. */
typedef struct {
    Py_buffer *buffers;
    Py_ssize_t held;
    copy *copies;
    size_t count, room;
} batch;

static void copy_box(const copy *c)
{
    for (uint32_t y = 0; y < c->height; y++) {
        const uint8_t *from = c->from + (ptrdiff_t)y * c->from_stride;
        uint8_t *to = c->to + (ptrdiff_t)y * c->to_stride;
        int ahead = y + AHEAD < c->height;
        for (uint32_t x = 0; x < c->width; x += STRIDE) {
            const uint8_t *next = from + AHEAD * c->from_stride + 4 * (size_t)x;
            uint8_t *gap = to + AHEAD * c->to_stride + PACKED * (size_t)x;
            for (size_t at = 0; ahead && at < 4 * STRIDE; at += LINE)
                __builtin_prefetch(next + at);
            for (size_t at = 0; ahead && at < PACKED * STRIDE; at += LINE)
                __builtin_prefetch(gap + at, 1);
            uint32_t rest = c->width - x;
            pack_rgb(to + PACKED * (size_t)x, from + 4 * (size_t)x, rest < STRIDE ? rest : STRIDE);
        }
    }
}

static int on_both(const Py_buffer *from, const Py_buffer *to, const Py_ssize_t at[4])
{
    for (int i = 0; i < 2; i++) { /* across, then down */
        const Py_ssize_t end = from->shape[1 - i] < to->shape[1 - i] ? from->shape[1 - i]
                                                                     : to->shape[1 - i];
        if (at[i] < 0 || at[i + 2] < 0 || at[i] > end || at[i + 2] > end - at[i])
            return 0;
    }
    return 1;
}

/* Room for `more` copies; -1 and an exception if there is none. */
static int make_room(batch *b, size_t more)
{
    if (b->count + more <= b->room)
        return 0;
    size_t room = 2 * (b->count + more);
    copy *copies = PyMem_Realloc(b->copies, room * sizeof *copies);
    if (!copies) {
        PyErr_NoMemory();
        return -1;
    }
    b->copies = copies;
    b->room = room;
    return 0;
}

static int note_box(batch *b, PyObject *box, const Py_buffer *from, const Py_buffer *to)
{
    Py_ssize_t at[4]; /* x, y, width, height */
    if (!PyTuple_Check(box)) {
        PyErr_SetString(PyExc_TypeError, "a box is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(box, "nnnn", &at[0], &at[1], &at[2], &at[3]))
        return -1;
    if (!on_both(from, to, at)) {
        PyErr_SetString(PyExc_ValueError, "a box that does not lie on both pictures");
        return -1;
    }
    if (at[2] && at[3])
        b->copies[b->count++] = (copy){
            (const uint8_t *)from->buf + at[1] * from->strides[0] + 4 * at[0],
            (uint8_t *)to->buf + at[1] * to->strides[0] + PACKED * at[0],
            from->strides[0], to->strides[0], (uint32_t)at[2], (uint32_t)at[3]};
    return 0;
}

/* Note what is to be copied for one job: a screen, a picture, and a list of boxes. */
static int note_job(batch *b, PyObject *job)
{
    PyObject *screen, *picture, *boxes;
    Py_buffer *from = &b->buffers[b->held], *to = from + 1;
    if (!PyTuple_Check(job)) {
        PyErr_SetString(PyExc_TypeError, "a job is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(job, "OOO!", &screen, &picture, &PyList_Type, &boxes))
        return -1;
    if (get_picture(screen, from, 4, 0))
        return -1;
    b->held++;
    if (get_picture(picture, to, PACKED, 1))
        return -1;
    b->held++;
    if (make_room(b, (size_t)PyList_GET_SIZE(boxes)))
        return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(boxes); i++)
        if (note_box(b, PyList_GET_ITEM(boxes, i), from, to))
            return -1;
    return 0;
}

PyObject *copy_all(PyObject *module, PyObject *jobs)
{
    batch b = {NULL, 0, NULL, 0, 0};
    int status = 0;
    (void)module;
    PyObject *fixed = PySequence_Tuple(jobs); /* what it holds cannot change meanwhile */
    if (!fixed)
        return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(fixed);
    b.buffers = PyMem_New(Py_buffer, 2 * (size_t)count + 1);
    if (!b.buffers) {
        PyErr_NoMemory();
        status = -1;
    }
    for (Py_ssize_t i = 0; i < count && !status; i++)
        status = note_job(&b, PyTuple_GET_ITEM(fixed, i));
    if (!status && b.count) { /* all of them fit, or none is begun */
        Py_BEGIN_ALLOW_THREADS
        for (size_t i = 0; i < b.count; i++)
            copy_box(&b.copies[i]);
        Py_END_ALLOW_THREADS
    }
    for (Py_ssize_t i = 0; i < b.held; i++)
        PyBuffer_Release(&b.buffers[i]);
    PyMem_Free(b.copies);
    PyMem_Free(b.buffers);
    Py_DECREF(fixed);
    if (status)
        return NULL;
    Py_RETURN_NONE;
}
