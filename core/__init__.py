"""The FERscope library. Importing it configures OpenMP, which has to happen before PyTorch is first imported."""

import os

# libgomp's threads spin at every barrier. While another process is busy, this makes an analysis ten times slower; a
# short spin has no cost on an idle machine. A value set by the user takes precedence.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
