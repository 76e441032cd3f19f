"""The FERscope library. Importing it configures OpenMP, which has to happen before PyTorch is first imported."""

import os

# libgomp's threads spin at every barrier. Beside another busy process that makes an analysis ten times slower; a short
# spin costs nothing on a quiet machine. A value set by the user takes precedence.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
