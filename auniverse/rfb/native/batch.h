/* Many copies of pixels in one call, see batch.c. */
#ifndef AUNIVERSE_BATCH_H
#define AUNIVERSE_BATCH_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Takes the buffer of a picture of Python's: uint8, (height, width, channels). */
int get_picture(PyObject *object, Py_buffer *view, int channels, int writable);

PyObject *copy_all(PyObject *module, PyObject *jobs);

#endif
