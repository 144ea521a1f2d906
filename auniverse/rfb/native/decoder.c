/* The type Decoder: a kernel, and what came of what it has read in Python's words. */
#include "binding.h"

#include <stddef.h>
#include <structmember.h>

/* Below so many bytes, letting other threads run costs more than it gives them. */
enum { WORTH_UNLOCKING = 1024 };

/* No pointer is wider; a shape of that size is as large as any screen may be. */
enum { MOST_CURSOR = 4096 };

/* Make one of them; it takes over the values, of which none may be NULL unless memory ran out. */
static PyObject *make(const Decoder *self, enum made kind, Py_ssize_t count,
                      PyObject *const *values)
{
    PyTypeObject *type = self->types[kind];
    PyObject *made = type->tp_alloc(type, count);
    int failed = !made;
    for (Py_ssize_t i = 0; i < count; i++) {
        failed |= !values[i];
        if (made)
            PyTuple_SET_ITEM(made, i, values[i]);
        else
            Py_XDECREF(values[i]);
    }
    if (failed)
        Py_CLEAR(made);
    return made;
}

static PyObject *number(unsigned long long value) { return PyLong_FromUnsignedLongLong(value); }

static PyObject *box_of(const Decoder *self, const box *b)
{
    PyObject *values[] = {number(b->x), number(b->y), number(b->width), number(b->height)};
    return make(self, BOX, 4, values);
}

static PyObject *frame_of(const Decoder *self, const event *e)
{
    PyObject *values[] = {number(e->number), PyFloat_FromDouble(e->drawn_at), number(e->inputs),
                          PyFloat_FromDouble(e->input_at)};
    PyObject *frame = make(self, FRAME_OF_HOST, 4, values);
    return frame ? make(self, FRAME_DRAWN, 1, &frame) : NULL;
}

static PyObject *updated_of(const Decoder *self, const event *e)
{
    PyObject *values[] = {number(e->rectangles), number(e->updates)};
    return make(self, UPDATED, 2, values);
}

static PyObject *pointer_of(const Decoder *self, const event *e)
{
    PyObject *values[] = {number(e->at.x), number(e->at.y)};
    return make(self, POINTER_MOVED, 2, values);
}

static PyObject *replied_of(const Decoder *self, const event *e)
{
    PyObject *payload = PyBytes_FromStringAndSize((const char *)e->payload, (Py_ssize_t)e->told);
    return make(self, FENCE_REPLIED, 1, &payload);
}

static PyObject *shape_of(const Decoder *self, const event *e)
{
    PyObject *rgba = PyByteArray_FromStringAndSize((char *)e->shape, 4 * (Py_ssize_t)area(&e->at));
    if (!rgba)
        return NULL;
    return PyObject_CallFunction(self->make_shape, "NIIII", rgba, e->at.width, e->at.height,
                                 e->at.x, e->at.y);
}

/* Put what is new at the end of a list, and take it over. */
static int put(PyObject *list, PyObject *item)
{
    int failed = !item || PyList_Append(list, item);
    Py_XDECREF(item);
    return failed ? -1 : 0;
}

static PyObject *events_of(const Decoder *self)
{
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < self->k.event_count; i++) {
        const event *e = &self->k.events[i];
        int failed = e->kind == POINTER ? put(list, pointer_of(self, e))
                     : e->kind == SHAPE ? put(list, shape_of(self, e))
                     : e->kind == REPLIED ? put(list, replied_of(self, e))
                     : e->drawn         ? put(list, frame_of(self, e))
                                        : 0;
        if (failed || (e->kind == UPDATES && put(list, updated_of(self, e))))
            Py_CLEAR(list);
    }
    return list;
}

static enum stop run(kernel *k, const uint8_t *data, size_t size)
{
    enum stop stop;
    if (size < WORTH_UNLOCKING)
        return kernel_feed(k, data, size);
    Py_BEGIN_ALLOW_THREADS
    stop = kernel_feed(k, data, size);
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

/* Begin to read: the pixels, the buffer, the allowance, and the largest rectangle. */
int decoder_begin(Decoder *self, PyObject *const *args, Py_buffer *screen)
{
    if (!PyObject_TypeCheck(args[1], &ReceiveBuffer_type)) {
        PyErr_SetString(PyExc_TypeError, "a buffer of another kind");
        return -1;
    }
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "this decoder is being fed by another thread");
        return -1;
    }
    self->k.allowance = PyLong_AsLongLong(args[2]);
    self->k.largest = PyLong_AsLongLong(args[3]);
    if (PyErr_Occurred() || get_picture(args[0], screen, 4, 1))
        return -1;
    if (set_screen(&self->k, screen)) {
        PyBuffer_Release(screen);
        return -1;
    }
    kernel_begin(&self->k);
    self->busy = 1;
    return 0;
}

/* What has been read counts from here on; return what there is to tell. */
PyObject *decoder_end(Decoder *self, Py_buffer *screen)
{
    kernel *k = &self->k;
    PyBuffer_Release(screen);
    self->allowance = k->allowance;
    self->needed = (Py_ssize_t)k->needed;
    self->updates += k->updates;
    self->rectangles += k->rectangles;
    self->pixels += (long long)k->painted_pixels;
    damage_move(&self->shown, &k->painted, k->width, k->height);
    self->busy = 0;
    if (PyErr_Occurred())
        return NULL;
    return k->event_count ? events_of(self) : Py_NewRef(Py_None);
}

static PyObject *Decoder_read(Decoder *self, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer screen, memory;
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "read(pixels, buffer, allowance, largest)");
        return NULL;
    }
    if (decoder_begin(self, args, &screen))
        return NULL;
    ReceiveBuffer *buffer = (ReceiveBuffer *)args[1];
    if (PyObject_GetBuffer(buffer->memory, &memory, PyBUF_SIMPLE)) { /* it stays where it is */
        return decoder_end(self, &screen);
    }
    self->stop = run(&self->k, receive_front(buffer), (size_t)buffer->waiting);
    PyBuffer_Release(&memory);
    receive_consume(buffer, (Py_ssize_t)self->k.position);
    return decoder_end(self, &screen);
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
    self->rectangles++;
    self->k.walked = self->k.walked_tiles = self->k.walked_palette = 0;
    Py_RETURN_NONE;
}

/* What was painted since the last call, as boxes. */
static PyObject *Decoder_take_damage(Decoder *self, PyObject *unused)
{
    (void)unused;
    damage_settle(&self->shown);
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < self->shown.count; i++)
        if (put(list, box_of(self, &self->shown.boxes[i])))
            Py_CLEAR(list);
    if (list)
        damage_clear(&self->shown);
    return list;
}

/* The answers to fences since the last call. */
static PyObject *Decoder_take_answers(Decoder *self, PyObject *unused)
{
    (void)unused;
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "this decoder is being fed by another thread");
        return NULL;
    }
    const char *answers = (const char *)self->k.answers;
    PyObject *bytes = PyBytes_FromStringAndSize(answers, (Py_ssize_t)self->k.answered);
    if (bytes)
        self->k.answered = 0;
    return bytes;
}

static int is_plain_tuple(PyObject *type)
{
    return PyType_Check(type) && PyType_IsSubtype((PyTypeObject *)type, &PyTuple_Type)
        && ((PyTypeObject *)type)->tp_basicsize == PyTuple_Type.tp_basicsize;
}

static PyObject *Decoder_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    unsigned largest_cursor = 0;
    int right = PyTuple_GET_SIZE(args) == MADE + 2 && !kwds;
    for (Py_ssize_t i = 0; right && i < MADE; i++)
        right = is_plain_tuple(PyTuple_GET_ITEM(args, i));
    if (right)
        largest_cursor = (unsigned)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(args, MADE + 1));
    if (!right || PyErr_Occurred() || largest_cursor > MOST_CURSOR) {
        PyErr_SetString(PyExc_TypeError, "types that are tuples and nothing more, what makes a "
                                         "shape, and the largest side of one");
        return NULL;
    }
    Decoder *self = (Decoder *)type->tp_alloc(type, 0);
    if (self) {
        self->make_shape = Py_NewRef(PyTuple_GET_ITEM(args, MADE));
        for (Py_ssize_t i = 0; i < MADE; i++)
            self->types[i] = (PyTypeObject *)Py_NewRef(PyTuple_GET_ITEM(args, i));
        kernel_init(&self->k);
        self->k.largest_cursor = largest_cursor;
    }
    return (PyObject *)self;
}

static void Decoder_dealloc(Decoder *self)
{
    kernel_free(&self->k);
    damage_clear(&self->shown);
    for (int i = 0; i < MADE; i++)
        Py_XDECREF(self->types[i]);
    Py_XDECREF(self->make_shape);
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

/* The rectangle that the last read stopped at, if at one. */
static PyObject *get_rectangle(Decoder *self, void *unused)
{
    const rectangle *r = &self->k.current;
    (void)unused;
    return Py_BuildValue("(IIIIi)", r->at.x, r->at.y, r->at.width, r->at.height, r->encoding);
}

/* How many bytes of it were consumed before. */
static PyObject *get_taken(Decoder *self, void *unused)
{
    (void)unused;
    return number(self->k.taken);
}

static PyObject *get_reason(Decoder *self, void *unused)
{
    (void)unused;
    return PyUnicode_DecodeUTF8(self->k.reason, (Py_ssize_t)strlen(self->k.reason), "replace");
}

static PyMethodDef methods[] = {
    {"read", (PyCFunction)(void (*)(void))Decoder_read, METH_FASTCALL,
     "Decode what waits in a buffer; return what there is to tell, if there is."},
    {"receive", (PyCFunction)(void (*)(void))Decoder_receive, METH_FASTCALL,
     "Take what a socket has, and decode it; return what there is to tell, if there is."},
    {"pass_", (PyCFunction)Decoder_pass, METH_O,
     "Count a rectangle that was done elsewhere; so many are left."},
    {"take_damage", (PyCFunction)Decoder_take_damage, METH_NOARGS,
     "Return what was painted since the last call, as boxes."},
    {"take_answers", (PyCFunction)Decoder_take_answers, METH_NOARGS,
     "Return the answers to fences since the last call."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"stop", T_INT, offsetof(Decoder, stop), READONLY, "Why the last read came back."},
    {"allowance", T_LONGLONG, offsetof(Decoder, allowance), READONLY, "What it has left of it."},
    {"needed", T_PYSSIZET, offsetof(Decoder, needed), READONLY, "Bytes that must wait to read on."},
    {"received", T_PYSSIZET, offsetof(Decoder, received), READONLY, "Bytes taken from a socket."},
    {"plain", T_INT, offsetof(Decoder, k.plain), READONLY, "Whether it painted plain pixels last."},
    {"fences", T_INT, offsetof(Decoder, k.fences), 0, "Whether fences are read too."},
    {"answered", T_PYSSIZET, offsetof(Decoder, k.answered), READONLY, "Bytes of answers to them."},
    {"updates", T_LONGLONG, offsetof(Decoder, updates), READONLY, "That have ended."},
    {"rectangles", T_LONGLONG, offsetof(Decoder, rectangles), READONLY, "That were read."},
    {"pixels", T_LONGLONG, offsetof(Decoder, pixels), READONLY, "That were painted."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"inside", (getter)get_inside, NULL, "Whether an update has begun and not ended.", NULL},
    {"left", (getter)get_left, NULL, "Rectangles still to come in it.", NULL},
    {"rectangle", (getter)get_rectangle, NULL, "The one that was refused.", NULL},
    {"taken", (getter)get_taken, NULL, "Bytes of it that were consumed.", NULL},
    {"reason", (getter)get_reason, NULL, "Why it was refused.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject Decoder_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "auniverse.rfb.native._native.Decoder",
    .tp_doc = "Decodes FramebufferUpdates into a screen that is handed over with each read.",
    .tp_basicsize = sizeof(Decoder),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = Decoder_new,
    .tp_dealloc = (destructor)Decoder_dealloc,
    .tp_methods = methods,
    .tp_members = members,
    .tp_getset = getset,
};
