/* What the files that Python sees share: module.c, receive.c, decoder.c, intake.c, pictures.c and
 * batch.c. See _native.pyi. */
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
} ReceiveBuffer;
extern PyTypeObject ReceiveBuffer_type, Part_type;
const uint8_t *receive_front(const ReceiveBuffer *self);
void receive_consume(ReceiveBuffer *self, Py_ssize_t count);
Py_ssize_t receive_room(ReceiveBuffer *self, Py_ssize_t needed);

/* decoder.c: what is made there without a detour over Python, each a tuple with names, nothing more. */
enum made { BOX, UPDATED, FRAME_DRAWN, FRAME_OF_HOST, POINTER_MOVED, FENCE_REPLIED, MADE };

typedef struct {
    PyObject_HEAD
    PyTypeObject *types[MADE];
    PyObject *make_shape; /* called with RGBA, width, height, x, y */
    int busy; /* a read is running, perhaps with the lock released */
    int stop; /* why the last one came back */
    long long allowance; /* what it has left */
    Py_ssize_t needed, received; /* by the last intake */
    long long updates, rectangles, pixels; /* in all */
    kernel k;
    damage shown; /* by all reads that are over: may be taken while another is running */
} Decoder;
extern PyTypeObject Decoder_type;
int decoder_begin(Decoder *self, PyObject *const *args, Py_buffer *screen);
PyObject *decoder_end(Decoder *self, Py_buffer *screen);

/* intake.c */
PyObject *Decoder_receive(Decoder *self, PyObject *const *args, Py_ssize_t count);

/* pictures.c */
int get_picture(PyObject *object, Py_buffer *view, int channels, int writable);
PyObject *copy_rgb(PyObject *module, PyObject *args);
PyObject *shrink_picture(PyObject *module, PyObject *args);

/* batch.c */
PyObject *copy_all(PyObject *module, PyObject *jobs);

#endif
