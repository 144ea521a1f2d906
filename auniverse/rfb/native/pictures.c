/* Copies of pixels, and the arrays that they are copied between. */
#include "binding.h"

#include <limits.h>

/* A screen or picture: uint8, (height, width, channels); the pixels of a row are contiguous. */
int get_picture(PyObject *object, Py_buffer *view, int channels, int writable)
{
    int flags = PyBUF_STRIDES | (writable ? PyBUF_WRITABLE : 0);
    if (PyObject_GetBuffer(object, view, flags))
        return -1;
    if (view->itemsize == 1 && view->ndim == 3 && view->shape[2] == channels
        && view->shape[0] <= INT_MAX && view->shape[1] <= INT_MAX / channels
        && (view->strides[2] == 1 || view->shape[2] == 1)
        && (view->strides[1] == channels || view->shape[1] <= 1)
        && (view->strides[0] >= view->shape[1] * channels || view->shape[0] <= 1))
        return 0;
    PyBuffer_Release(view);
    PyErr_Format(PyExc_ValueError, "no picture of %d bytes a pixel, row by row", channels);
    return -1;
}

static int holds(const Py_buffer *picture, const unsigned place[4])
{
    return (uint64_t)place[0] + place[2] <= (uint64_t)picture->shape[1]
        && (uint64_t)place[1] + place[3] <= (uint64_t)picture->shape[0];
}

PyObject *copy_rgb(PyObject *module, PyObject *args)
{
    PyObject *from, *to;
    Py_buffer source, target;
    unsigned box[4]; /* x, y, width, height: of both */
    (void)module;
    if (!PyArg_ParseTuple(args, "OOIIII", &from, &to, &box[0], &box[1], &box[2], &box[3]))
        return NULL;
    if (get_picture(from, &source, 4, 0))
        return NULL;
    if (get_picture(to, &target, 3, 1)) {
        PyBuffer_Release(&source);
        return NULL;
    }
    int fits = holds(&source, box) && holds(&target, box);
    if (fits && box[2] && box[3]) {
        const uint8_t *in = (uint8_t *)source.buf + box[1] * source.strides[0] + 4 * (size_t)box[0];
        uint8_t *out = (uint8_t *)target.buf + box[1] * target.strides[0] + 3 * (size_t)box[0];
        Py_BEGIN_ALLOW_THREADS
        for (unsigned y = 0; y < box[3]; y++)
            pack_rgb(out + (ptrdiff_t)y * target.strides[0],
                     in + (ptrdiff_t)y * source.strides[0], box[2]);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&target);
    PyBuffer_Release(&source);
    if (!fits) {
        PyErr_SetString(PyExc_ValueError, "a box that does not lie on both pictures");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* What lies on `place` of a box of Python's: 1, and then the box begins there; 0; -1: no box. */
static int box_on(PyObject *item, const unsigned place[4], box *found)
{
    Py_ssize_t at[4];
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "a box is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(item, "nnnn", &at[0], &at[1], &at[2], &at[3]))
        return -1;
    for (int i = 0; i < 2; i++) { /* across, then down */
        if (at[i] < 0 || at[i] > INT_MAX || at[i + 2] < 0 || at[i + 2] > INT_MAX) {
            PyErr_SetString(PyExc_ValueError, "a box that lies on no screen");
            return -1;
        }
        Py_ssize_t begin = place[i], end = begin + place[i + 2], stop = at[i] + at[i + 2];
        at[i] = at[i] > begin ? at[i] : begin;
        at[i + 2] = (stop < end ? stop : end) - at[i];
        if (at[i + 2] <= 0)
            return 0;
        at[i] -= begin;
    }
    *found = (box){(uint32_t)at[0], (uint32_t)at[1], (uint32_t)at[2], (uint32_t)at[3]};
    return 1;
}

/* The parts of the target that show one of the boxes; those on which none lies are left out. */
static PyObject *parts_of(PyObject *boxes, const unsigned place[4], const picture *from,
                          const picture *to, box *parts, Py_ssize_t *count)
{
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list && i < PyTuple_GET_SIZE(boxes); i++) {
        box changed;
        int on = box_on(PyTuple_GET_ITEM(boxes, i), place, &changed);
        if (on > 0) {
            box part = parts[(*count)++] = shrink_box(&changed, from, to);
            PyObject *item = Py_BuildValue("(IIII)", part.x, part.y, part.width, part.height);
            on = item ? PyList_Append(list, item) : -1;
            Py_XDECREF(item);
        }
        if (on < 0)
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *shrink_to(const Py_buffer *source, const Py_buffer *target,
                           const unsigned place[4], PyObject *boxes)
{
    picture from = {(uint8_t *)source->buf + place[1] * source->strides[0] + 4 * (size_t)place[0],
                    source->strides[0], place[2], place[3]};
    picture to = {target->buf, target->strides[0], (uint32_t)target->shape[1],
                  (uint32_t)target->shape[0]};
    Py_ssize_t count = 0;
    int status = 0;
    box *parts = PyMem_New(box, (size_t)PyTuple_GET_SIZE(boxes) + 1);
    if (!parts)
        return PyErr_NoMemory();
    PyObject *list = parts_of(boxes, place, &from, &to, parts, &count);
    if (list && count) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t i = 0; i < count && !status; i++)
            status = shrink(&from, &to, &parts[i], target->shape[2] == 1);
        Py_END_ALLOW_THREADS
    }
    PyMem_Free(parts);
    if (!status)
        return list;
    Py_XDECREF(list);
    return PyErr_NoMemory();
}

PyObject *shrink_picture(PyObject *module, PyObject *args)
{
    PyObject *from, *to, *boxes, *parts = NULL;
    Py_buffer source, target;
    unsigned place[4];
    (void)module;
    if (!PyArg_ParseTuple(args, "OO(IIII)O!", &from, &to, &place[0], &place[1], &place[2],
                          &place[3], &PyList_Type, &boxes))
        return NULL;
    PyObject *fixed = PyList_AsTuple(boxes); /* what it holds cannot change meanwhile */
    if (!fixed)
        return NULL;
    if (get_picture(from, &source, 4, 0)) {
        Py_DECREF(fixed);
        return NULL;
    }
    if (get_picture(to, &target, 1, 1)) {
        PyErr_Clear();
        if (get_picture(to, &target, 3, 1)) {
            PyBuffer_Release(&source);
            Py_DECREF(fixed);
            return NULL;
        }
    }
    if (holds(&source, place) && place[2] && place[3] && target.shape[0] && target.shape[1])
        parts = shrink_to(&source, &target, place, fixed);
    else
        PyErr_SetString(PyExc_ValueError, "a box that does not lie on the picture, or no pixels");
    PyBuffer_Release(&target);
    PyBuffer_Release(&source);
    Py_DECREF(fixed);
    return parts;
}
