/* The type ReceiveBuffer: memory that a socket writes to and the kernel reads from, as buffer.py has it,
 * whose tests it passes. */
#include "binding.h"

#include <stddef.h>
#include <structmember.h>

enum { /* as in buffer.py */
    MIN_ROOM = 16 * 1024,
    ROUNDS = 256,
    MAX_SURPLUS = 256 * 1024,
    DEFAULT_LIMIT = 1 << 30,
};

/* ---- A part of another object's memory, as something that memoryview can show. ---- */

typedef struct {
    PyObject_HEAD
    Py_buffer whole;
    Py_ssize_t begin, size;
} Part;

static int Part_getbuffer(Part *self, Py_buffer *view, int flags)
{
    return PyBuffer_FillInfo(view, (PyObject *)self, (char *)self->whole.buf + self->begin, self->size,
                             0, flags);
}

static void Part_dealloc(Part *self)
{
    PyBuffer_Release(&self->whole);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyBufferProcs Part_buffer = {(getbufferproc)Part_getbuffer, NULL};

PyTypeObject Part_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "auniverse.rfb.native._native.Part",
    .tp_basicsize = sizeof(Part),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = (destructor)Part_dealloc,
    .tp_as_buffer = &Part_buffer,
};

static PyObject *show(PyObject *owner, Py_ssize_t begin, Py_ssize_t size)
{
    Part *part = PyObject_New(Part, &Part_type);
    if (!part)
        return NULL;
    part->whole.obj = NULL;
    if (PyObject_GetBuffer(owner, &part->whole, PyBUF_WRITABLE)) {
        Py_DECREF(part);
        return NULL;
    }
    if (begin < 0 || size < 0 || begin > part->whole.len - size) {
        Py_DECREF(part);
        PyErr_SetString(PyExc_ValueError, "a part that lies outside of its memory");
        return NULL;
    }
    part->begin = begin;
    part->size = size;
    PyObject *view = PyMemoryView_FromObject((PyObject *)part);
    Py_DECREF(part);
    return view;
}

/* ---- The memory. It is a bytearray, which counts for us who looks at it. ---- */

static Py_ssize_t capacity_of(const ReceiveBuffer *self) { return PyByteArray_GET_SIZE(self->memory); }

const uint8_t *receive_front(const ReceiveBuffer *self)
{
    return (uint8_t *)PyByteArray_AS_STRING(self->memory) + self->read;
}

void receive_consume(ReceiveBuffer *self, Py_ssize_t count)
{
    self->read += count;
    self->waiting -= count;
}

/* Bring what waits to the front, and have more memory if need be. */
static int move(ReceiveBuffer *self, Py_ssize_t capacity)
{
    const char *waiting = PyByteArray_AS_STRING(self->memory) + self->read;
    if (((PyByteArrayObject *)self->memory)->ob_exports) { /* what somebody looks at stays what it is */
        PyObject *memory = PyByteArray_FromStringAndSize(NULL, capacity);
        if (!memory)
            return -1;
        memcpy(PyByteArray_AS_STRING(memory), waiting, (size_t)self->waiting);
        Py_SETREF(self->memory, memory);
    } else {
        memmove(PyByteArray_AS_STRING(self->memory), waiting, (size_t)self->waiting);
        if (capacity > capacity_of(self) && PyByteArray_Resize(self->memory, capacity))
            return -1;
    }
    self->read = 0;
    return 0;
}

/* Give back memory that no message needed for a while; nothing waits. */
static int rest(ReceiveBuffer *self)
{
    Py_ssize_t least = self->largest + MIN_ROOM, usual = self->size > least ? self->size : least;
    self->rounds = self->largest = 0;
    if (capacity_of(self) <= 4 * usual)
        return 0;
    PyObject *memory = PyByteArray_FromStringAndSize(NULL, usual);
    if (!memory)
        return -1;
    Py_SETREF(self->memory, memory);
    return 0;
}

/* Have room behind what waits for as many bytes as must wait at once; return how many may be written
   there, -1 if that is too much. */
Py_ssize_t receive_room(ReceiveBuffer *self, Py_ssize_t needed)
{
    Py_ssize_t waiting = self->waiting;
    if (needed > self->largest) {
        if (needed > self->limit) {
            PyErr_Format(self->refusal, "a message of %zd bytes; the limit is %zd", needed, self->limit);
            return -1;
        }
        self->largest = needed;
    }
    if (!waiting) {
        self->read = 0;
        if (++self->rounds >= ROUNDS && rest(self))
            return -1;
    }
    Py_ssize_t least = needed - waiting > MIN_ROOM ? needed - waiting : MIN_ROOM;
    Py_ssize_t most = needed - waiting > MAX_SURPLUS ? needed - waiting : MAX_SURPLUS;
    if (capacity_of(self) - self->read - waiting < (waiting ? least : needed)) {
        /* A message may say its length bit by bit: it must not grow with each of them. */
        Py_ssize_t more = waiting + MAX_SURPLUS > needed ? waiting + MAX_SURPLUS : needed;
        if (move(self, capacity_of(self) - waiting >= least ? capacity_of(self) : more + MIN_ROOM))
            return -1;
    }
    Py_ssize_t room = capacity_of(self) - self->read - waiting;
    return room < most ? room : most;
}

static PyObject *get_buffer(ReceiveBuffer *self, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t needed = count ? PyLong_AsSsize_t(args[0]) : 0;
    if (needed == -1 && PyErr_Occurred())
        return NULL;
    Py_ssize_t room = receive_room(self, needed);
    return room < 0 ? NULL : show(self->memory, self->read + self->waiting, room);
}

static PyObject *buffer_updated(ReceiveBuffer *self, PyObject *arg)
{
    Py_ssize_t count = PyLong_AsSsize_t(arg), room = capacity_of(self) - self->read - self->waiting;
    if (count == -1 && PyErr_Occurred())
        return NULL;
    if (count < 0 || count > room)
        return PyErr_Format(PyExc_ValueError, "%zd bytes written to %zd", count, room);
    self->waiting += count;
    Py_RETURN_NONE;
}

static PyObject *view(ReceiveBuffer *self, PyObject *unused)
{
    (void)unused;
    return show(self->memory, self->read, self->waiting);
}

static PyObject *consume(ReceiveBuffer *self, PyObject *arg)
{
    Py_ssize_t count = PyLong_AsSsize_t(arg);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    if (count < 0 || count > self->waiting)
        return PyErr_Format(PyExc_ValueError, "%zd bytes consumed of %zd", count, self->waiting);
    self->read += count;
    self->waiting -= count;
    Py_RETURN_NONE;
}

static PyObject *holds(ReceiveBuffer *self, PyObject *arg)
{
    Py_ssize_t needed = PyLong_AsSsize_t(arg);
    if (needed == -1 && PyErr_Occurred())
        return NULL;
    return PyBool_FromLong(needed >= 0 && self->waiting >= needed);
}

/* ---- The type. ---- */

static Py_ssize_t length(ReceiveBuffer *self) { return self->waiting; }

static PyObject *get_capacity(ReceiveBuffer *self, void *unused)
{
    (void)unused;
    return PyLong_FromSsize_t(capacity_of(self));
}

static PyObject *get_front(ReceiveBuffer *self, void *unused)
{
    (void)unused;
    return PyLong_FromLong(self->waiting ? *receive_front(self) : -1);
}

static PyObject *ReceiveBuffer_new(PyTypeObject *type, PyObject *args, PyObject *kwds)
{
    static char *names[] = {"refusal", "size", "limit", NULL};
    PyObject *refusal;
    Py_ssize_t size = MAX_SURPLUS, limit = DEFAULT_LIMIT;
    if (!PyArg_ParseTupleAndKeywords(args, kwds, "O|n$n", names, &refusal, &size, &limit))
        return NULL;
    size = size > MIN_ROOM ? size : MIN_ROOM;
    PyObject *memory = PyByteArray_FromStringAndSize(NULL, size);
    ReceiveBuffer *self = memory ? (ReceiveBuffer *)type->tp_alloc(type, 0) : NULL;
    if (!self) {
        Py_XDECREF(memory);
        return NULL;
    }
    self->memory = memory;
    self->refusal = Py_NewRef(refusal);
    self->size = size;
    self->limit = limit;
    return (PyObject *)self;
}

static void ReceiveBuffer_dealloc(ReceiveBuffer *self)
{
    Py_XDECREF(self->memory);
    Py_XDECREF(self->refusal);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"get_buffer", (PyCFunction)(void (*)(void))get_buffer, METH_FASTCALL,
     "Return the memory to write to."},
    {"buffer_updated", (PyCFunction)buffer_updated, METH_O, "Note that so many bytes were written."},
    {"view", (PyCFunction)view, METH_NOARGS, "Return the bytes that wait."},
    {"consume", (PyCFunction)consume, METH_O, "Forget the first of them."},
    {"holds", (PyCFunction)holds, METH_O, "Tell whether it can be read on."},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"waiting", T_PYSSIZET, offsetof(ReceiveBuffer, waiting), READONLY, "Bytes that wait."},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef getset[] = {
    {"capacity", (getter)get_capacity, NULL, "Bytes of memory held.", NULL},
    {"front", (getter)get_front, NULL, "The first byte that waits, -1 if none does.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PySequenceMethods sequence = {.sq_length = (lenfunc)length};

PyTypeObject ReceiveBuffer_type = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "auniverse.rfb.native._native.ReceiveBuffer",
    .tp_doc = "Memory that a socket writes to and a Decoder reads from.",
    .tp_basicsize = sizeof(ReceiveBuffer),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = ReceiveBuffer_new,
    .tp_dealloc = (destructor)ReceiveBuffer_dealloc,
    .tp_methods = methods,
    .tp_members = members,
    .tp_getset = getset,
    .tp_as_sequence = &sequence,
};
