/* The module as Python sees it; what is in it is in receive.c, decoder.c, intake.c, pictures.c and
 * batch.c. */
#include "binding.h"
#include "inflate.h"

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
    if (PyType_Ready(&Part_type) || PyType_Ready(&ReceiveBuffer_type) || PyType_Ready(&Decoder_type))
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (!module)
        return NULL;
    if (PyModule_AddObjectRef(module, "Decoder", (PyObject *)&Decoder_type)
        || PyModule_AddObjectRef(module, "ReceiveBuffer", (PyObject *)&ReceiveBuffer_type)
        || PyModule_AddStringConstant(module, "JPEG", jpeg_library() ? jpeg_library() : "")) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
