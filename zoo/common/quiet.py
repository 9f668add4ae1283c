"""TensorFlow without the lines of log it prints at import and on first use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def import_tensorflow() -> None:
    """Imports TensorFlow and wakes its runtime, silently; a command calls it before anything of Keras.

    Its C++ side writes to file descriptor 2 before any log level is heard, so that is pointed
    elsewhere meanwhile. Python errors are not touched: they are raised as ever.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with descriptor_2_elsewhere():
        import tensorflow as tf

        # The first operation starts the runtime; XLA's first compilation logs once more.
        tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(0))


@contextmanager
def descriptor_2_elsewhere() -> Iterator[None]:
    """Lets nothing that writes to file descriptor 2 by itself, as C++ does, be seen meanwhile."""
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
