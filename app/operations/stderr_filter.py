"""Leaves known notes of C++ libraries out of stderr while they are loaded: they say nothing to a user."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

LITERT = (b"INFO: Created TensorFlow Lite XNNPACK delegate",)
TENSORFLOW = (b"WARNING: All log messages before absl", b"I0000 ", b"W0000 ")
"""What a line begins with that is left out."""


@contextmanager
def without(*beginnings: bytes) -> Iterator[None]:
    """Within, the process's stderr is kept back; at the end it is written without the lines that begin so."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as kept, os.fdopen(os.dup(2), "wb") as stderr:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr.fileno(), 2)
            kept.seek(0)
            stderr.writelines(line for line in kept if not line.startswith(beginnings))
