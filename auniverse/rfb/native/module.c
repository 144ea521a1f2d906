/* What Python sees: the type Decoder, and copies of pixels. See _native.pyi for what each takes. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "batch.h"
#include "inflate.h"
#include "kernel.h"

#include <limits.h>

/* Below so many bytes, letting other threads run costs more than it gives them. */
enum { WORTH_UNLOCKING = 1024 };

typedef struct {
    PyObject_HEAD
    PyTypeObject *box_type;
    int busy; /* a feed is running, perhaps with the lock released */
    kernel k;
    damage shown; /* by all feeds that are over: may be taken while another is running */
} Decoder;

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

static PyObject *events_of(const kernel *k)
{
    PyObject *list = PyList_New((Py_ssize_t)k->event_count);
    for (size_t i = 0; list && i < k->event_count; i++) {
        const event *e = &k->events[i];
        PyObject *item = e->drawn
            ? Py_BuildValue("(II(KdKd))", e->rectangles, e->updates, (unsigned long long)e->number,
                            e->drawn_at, (unsigned long long)e->inputs, e->input_at)
            : Py_BuildValue("(IIO)", e->rectangles, e->updates, Py_None);
        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

static enum stop run(kernel *k, const Py_buffer *data)
{
    size_t size = (size_t)data->len;
    enum stop stop;
    if (size - k->position < WORTH_UNLOCKING)
        return kernel_feed(k, data->buf, size);
    Py_BEGIN_ALLOW_THREADS
    stop = kernel_feed(k, data->buf, size);
    Py_END_ALLOW_THREADS
    return stop;
}

/* The kernel checks every place once, when a rectangle begins. */
static int set_screen(kernel *k, const Py_buffer *screen)
{
    k->pixels = screen->buf;
    k->stride = screen->strides[0];
    k->width = (uint32_t)screen->shape[1];
    k->height = (uint32_t)screen->shape[0];
    if (((uintptr_t)k->pixels | (uintptr_t)k->stride) & 3)
        PyErr_SetString(PyExc_ValueError, "pixels that are not aligned to 4 bytes");
    else if (k->rows.height && off_screen(k, &k->rows))
        PyErr_SetString(PyExc_ValueError, "a smaller screen inside of a rectangle");
    else
        return 0;
    return -1;
}

static PyObject *Decoder_feed(Decoder *self, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer screen, data;
    kernel *k = &self->k;
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "feed(pixels, data, position, allowance)");
        return NULL;
    }
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "this decoder is being fed by another thread");
        return NULL;
    }
    size_t position = PyLong_AsSize_t(args[2]);
    long long allowance = PyLong_AsLongLong(args[3]);
    if (PyErr_Occurred())
        return NULL;
    if (get_picture(args[0], &screen, 4, 1))
        return NULL;
    if (PyObject_GetBuffer(args[1], &data, PyBUF_SIMPLE)) {
        PyBuffer_Release(&screen);
        return NULL;
    }
    PyObject *result = NULL;
    if (position > (size_t)data.len) {
        PyErr_SetString(PyExc_ValueError, "a position behind the data");
    } else if (!set_screen(k, &screen)) {
        k->position = position;
        k->allowance = allowance;
        self->busy = 1;
        enum stop stop = run(k, &data);
        self->busy = 0;
        damage_move(&self->shown, &k->painted, k->width, k->height);
        result = Py_BuildValue("(inIIKLN)", (int)stop, (Py_ssize_t)k->position, k->updates,
                               k->rectangles, (unsigned long long)k->needed,
                               (long long)k->allowance, events_of(k));
    }
    PyBuffer_Release(&data);
    PyBuffer_Release(&screen);
    return result;
}

/* A rectangle that kernel_feed left to somebody else is done. */
static PyObject *Decoder_pass(Decoder *self, PyObject *arg)
{
    unsigned long left = PyLong_AsUnsignedLong(arg);
    if (left == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    if (self->busy || left > 0xFFFF) {
        PyErr_SetString(PyExc_ValueError, "not now, or not that many");
        return NULL;
    }
    self->k.left = (uint32_t)left;
    self->k.seen++;
    self->k.walked = self->k.walked_tiles = self->k.walked_palette = 0;
    Py_RETURN_NONE;
}

/* A box of a type that is a tuple and nothing more, without the detour over its constructor. */
static PyObject *box_of(PyTypeObject *type, const box *b)
{
    const uint32_t sides[4] = {b->x, b->y, b->width, b->height};
    PyObject *made = type->tp_alloc(type, 4);
    for (Py_ssize_t i = 0; made && i < 4; i++) {
        PyObject *side = PyLong_FromUnsignedLong(sides[i]);
        if (!side)
            Py_CLEAR(made);
        else
            PyTuple_SET_ITEM(made, i, side);
    }
    return made;
}

/* What was painted since the last call, as boxes. */
static PyObject *Decoder_take_damage(Decoder *self, PyObject *unused)
{
    (void)unused;
    damage_settle(&self->shown);
    PyObject *list = PyList_New((Py_ssize_t)self->shown.count);
    for (size_t i = 0; list && i < self->shown.count; i++) {
        PyObject *item = box_of(self->box_type, &self->shown.boxes[i]);
        if (!item)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    if (list)
        damage_clear(&self->shown);
    return list;
}

static PyObject *Decoder_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    PyObject *box_type;
    (void)kwds;
    if (!PyArg_ParseTuple(args, "O!", &PyType_Type, &box_type))
        return NULL;
    PyTypeObject *kind = (PyTypeObject *)box_type;
    if (!PyType_IsSubtype(kind, &PyTuple_Type) || kind->tp_basicsize != PyTuple_Type.tp_basicsize) {
        PyErr_SetString(PyExc_TypeError, "boxes must be tuples and nothing more");
        return NULL;
    }
    Decoder *self = (Decoder *)type->tp_alloc(type, 0);
    if (self) {
        self->box_type = (PyTypeObject *)Py_NewRef(box_type);
        kernel_init(&self->k);
    }
    return (PyObject *)self;
}

static void Decoder_dealloc(Decoder *self)
{
    kernel_free(&self->k);
    damage_clear(&self->shown);
    Py_XDECREF(self->box_type);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *get_inside(Decoder *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(self->k.inside);
}

static PyObject *get_left(Decoder *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLong(self->k.left);
}

static PyObject *get_reason(Decoder *self, void *unused)
{
    (void)unused;
    return PyUnicode_DecodeUTF8(self->k.reason, (Py_ssize_t)strlen(self->k.reason), "replace");
}

static PyMethodDef Decoder_methods[] = {
    {"feed", (PyCFunction)(void (*)(void))Decoder_feed, METH_FASTCALL,
     "Decode the whole rectangles of data from position on."},
    {"pass_", (PyCFunction)Decoder_pass, METH_O,
     "Count a rectangle that was done elsewhere; so many are left."},
    {"take_damage", (PyCFunction)Decoder_take_damage, METH_NOARGS,
     "Return what was painted since the last call, as boxes."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Decoder_getset[] = {
    {"inside", (getter)get_inside, NULL, "Whether an update has begun and not ended.", NULL},
    {"left", (getter)get_left, NULL, "Rectangles still to come in it.", NULL},
    {"reason", (getter)get_reason, NULL, "Why the last feed was refused.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject Decoder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "auniverse.rfb.native._native.Decoder",
    .tp_doc = "Decodes FramebufferUpdates into a screen that is handed over with each feed.",
    .tp_basicsize = sizeof(Decoder),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = Decoder_new,
    .tp_dealloc = (destructor)Decoder_dealloc,
    .tp_methods = Decoder_methods,
    .tp_getset = Decoder_getset,
};

static int holds(const Py_buffer *picture, const unsigned place[4])
{
    return (uint64_t)place[0] + place[2] <= (uint64_t)picture->shape[1]
        && (uint64_t)place[1] + place[3] <= (uint64_t)picture->shape[0];
}

static PyObject *copy_rgb(PyObject *module, PyObject *args)
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

static PyObject *shrink_picture(PyObject *module, PyObject *args)
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

static PyMethodDef functions[] = {
    {"copy_rgb", copy_rgb, METH_VARARGS, "Copy a box of RGBX to the same place of RGB."},
    {"copy_all", copy_all, METH_O, "Copy boxes of several screens of RGBX to RGB."},
    {"shrink", shrink_picture, METH_VARARGS, "Bring a picture of a box of RGBX up to date."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "Decoders and copies in C.", -1, functions,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void)
{
    choose_pixels();
    choose_shrink();
    deflate_prepare();
    if (PyType_Ready(&Decoder_type))
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (!module)
        return NULL;
    if (PyModule_AddObjectRef(module, "Decoder", (PyObject *)&Decoder_type)
        || PyModule_AddStringConstant(module, "JPEG", jpeg_library() ? jpeg_library() : "")) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
