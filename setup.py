"""The compiled decoder, where a compiler is, and with the best libraries that are.

Everything else is said in pyproject.toml. The extension is optional: without a compiler the
installation goes on, and the numpy decoders do the work. AUNIVERSE_INFLATE names the library that
inflates (zlib-ng, isal or zlib) where the fastest present is not wanted.
"""

import os
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

SOURCES = sorted(map(str, Path("auniverse/rfb/native").glob("*.c")))
HEADERS = sorted(map(str, Path("auniverse/rfb/native").glob("*.h")))

#: The fastest first: name, macro, library, and a program that needs it.
INFLATE = (
    ("zlib-ng", "AUNIVERSE_ZLIB_NG", "z-ng", ("zlib-ng.h", "zlibng_version()")),
    ("isal", "AUNIVERSE_ISAL", "isal", ("isa-l.h", "isal_inflate_init(0)")),
    ("zlib", "AUNIVERSE_ZLIB", "z", ("zlib.h", "zlibVersion()")),
)
JPEG = (("turbojpeg", "AUNIVERSE_TURBOJPEG", "turbojpeg", ("turbojpeg.h", "tjInitDecompress()")),)


class Build(build_ext):
    """Asks the compiler for the libraries before it builds."""

    def build_extension(self, ext):
        """Link the best library of each kind; inflating needs one, JPEG does not."""
        wanted = os.environ.get("AUNIVERSE_INFLATE")
        inflate = self.first(one for one in INFLATE if wanted in (None, one[0]))
        if inflate is None:
            raise CompileError("no zlib-ng, ISA-L or zlib to build the compiled decoder with")
        for _, macro, library, _ in filter(None, (inflate, self.first(JPEG))):
            ext.define_macros.append((macro, "1"))
            ext.libraries.append(library)
        super().build_extension(ext)

    def first(self, libraries):
        """Return the first of `libraries` that a program can be linked with."""
        return next((one for one in libraries if self.links(*one[2:])), None)

    def links(self, library, program):
        """Tell whether a program that calls into `library` can be built here."""
        header, call = program
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(
                f"#include <{header}>\nint main(void) {{ (void){call}; return 0; }}\n"
            )
            try:
                objects = self.compiler.compile([str(source)], output_dir=folder)
                self.compiler.link_executable(
                    objects, "probe", output_dir=folder, libraries=[library]
                )
            except Exception:  # what a missing compiler raises depends on the compiler
                return False
        return True


setup(
    cmdclass={"build_ext": Build},
    ext_modules=[
        Extension(
            "auniverse.rfb.native._native",
            SOURCES,
            depends=HEADERS,
            extra_compile_args=["-std=c11", "-O3", "-Wall", "-Wextra", "-fvisibility=hidden"],
            optional=True,
        )
    ],
)
