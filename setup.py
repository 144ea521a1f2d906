"""The compiled decoder, where a compiler is, and with JPEG where its library is.

Everything else is said in pyproject.toml. The extension is optional: without a compiler the
installation goes on, and the numpy decoders do the work.
"""

import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = sorted(map(str, Path("auniverse/rfb/native").glob("*.c")))
HEADERS = sorted(map(str, Path("auniverse/rfb/native").glob("*.h")))

#: Debian: libturbojpeg0-dev. Without it, Tight's JPEG goes through the extra `jpeg` instead.
JPEG = "#include <turbojpeg.h>\nint main(void) { (void)tjInitDecompress(); return 0; }\n"


class Build(build_ext):
    """Asks the compiler for the library before it builds."""

    def build_extension(self, ext):
        """Link libjpeg-turbo, if it is here."""
        if self.links("turbojpeg", JPEG):
            ext.define_macros.append(("AUNIVERSE_TURBOJPEG", "1"))
            ext.libraries.append("turbojpeg")
        super().build_extension(ext)

    def links(self, library, program):
        """Tell whether `program` can be built with `library` here."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(program)
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
