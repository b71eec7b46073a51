"""The toolkit as a library: export a bundle, verify it, run it, swap a photo, benchmark a file.

Each function is one call into `export`, `pipeline` or `benchmarks`; docs/python.md has examples.
Importing this package loads no runtime.
"""

from mobilefsgan.api import (
    benchmark_file,
    export_bundle,
    open_generator,
    swap_photo,
    verify_bundle,
)
from model.errors import FaceSwapError
from model.shipped import PUBLISHED_GENERATOR, SHIPPED_GENERATOR, SHIPPED_IDENTITY_ENCODER

__all__ = [
    "PUBLISHED_GENERATOR",
    "SHIPPED_GENERATOR",
    "SHIPPED_IDENTITY_ENCODER",
    "FaceSwapError",
    "benchmark_file",
    "export_bundle",
    "open_generator",
    "swap_photo",
    "verify_bundle",
]
