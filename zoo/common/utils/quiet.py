"""A backend of Keras without the lines of log it prints at import and on first use."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from zoo.common.core.errors import ZooError


def start_backend() -> None:
    """Import Keras on its backend, silently; a command calls it before anything of Keras.

    That is TensorFlow, or whichever backend KERAS_BACKEND names.
    """
    if os.environ.setdefault("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import_tensorflow()
    import keras  # noqa: F401 (the import is what is wanted)


@functools.cache
def import_tensorflow() -> None:
    """Import TensorFlow and start its runtime, silently.

    Its C++ side writes to file descriptor 2 before any log level is heard, so that is pointed
    elsewhere meanwhile. Python errors are not touched: they are raised as ever.

    Raises:
        ZooError: it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if importlib.util.find_spec("tensorflow") is None:
        raise ZooError(
            "TensorFlow is not installed: pip install tensorflow. Without it, presets answer from their "
            "exports: --backend onnx or litert."
        )
    with descriptor_2_elsewhere():
        import tensorflow as tf

        # The first operation starts the runtime; XLA's first compilation logs once more.
        tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(0))


# Of two threads that point the descriptor elsewhere, the second would save what the first put there.
_lock = threading.RLock()


@contextmanager
def descriptor_2_elsewhere() -> Iterator[None]:
    """Let nothing that writes to file descriptor 2 by itself, as C++ does, be seen meanwhile."""
    with _lock:
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
