/* What the files that Python sees share: module.c, decoder.c, pictures.c and batch.c. See _native.pyi. */
#ifndef AUNIVERSE_BINDING_H
#define AUNIVERSE_BINDING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "kernel.h"

/* decoder.c */
extern PyTypeObject Decoder_type;

/* pictures.c */
int get_picture(PyObject *object, Py_buffer *view, int channels, int writable);
PyObject *copy_rgb(PyObject *module, PyObject *args);
PyObject *shrink_picture(PyObject *module, PyObject *args);

/* batch.c */
PyObject *copy_all(PyObject *module, PyObject *jobs);

#endif
