"""The service: continues seed strings into tunes, and plays them."""

import os

# NumPy's OpenBLAS has nothing large to do here. It would start a thread for each core as it is imported, and end the
# process where so many cannot be had.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
