/* What the files that Python sees share: module.c, receive.c, decoder.c, pictures.c and batch.c.
 * See _native.pyi. */
#ifndef AUNIVERSE_BINDING_H
#define AUNIVERSE_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kernel.h"

/* receive.c */
typedef struct {
    PyObject_HEAD
    PyObject *memory, *refusal; /* a bytearray; what is raised about a message that is too long */
    Py_ssize_t size, limit;     /* of the memory, usually; of a message */
    Py_ssize_t read, waiting, largest, rounds;
    PyObject *screen; /* where the next `missing` bytes belong, from `begin` on; or NULL */
    Py_ssize_t begin, missing, placed;
    int placing, placed_last; /* whether that was handed out, and what was written to, last */
} ReceiveBuffer;
extern PyTypeObject ReceiveBuffer_type, Part_type;
const uint8_t *receive_front(const ReceiveBuffer *self);
void receive_consume(ReceiveBuffer *self, Py_ssize_t count);
void receive_lead(ReceiveBuffer *self, PyObject *screen, size_t begin, size_t size);

/* decoder.c */
extern PyTypeObject Decoder_type;

/* pictures.c */
int get_picture(PyObject *object, Py_buffer *view, int channels, int writable);
PyObject *copy_rgb(PyObject *module, PyObject *args);
PyObject *shrink_picture(PyObject *module, PyObject *args);

/* batch.c */
PyObject *copy_all(PyObject *module, PyObject *jobs);

#endif
