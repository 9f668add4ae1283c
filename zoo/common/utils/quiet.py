"""Start a backend of Keras without the log lines that it prints at import and on first use."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from zoo.common.core.errors import ZooError, check_choice
from zoo.common.utils.progress import say

_BACKENDS = ("tensorflow", "jax", "torch")
# Settings of Keras that all presets were trained with.
_SETTINGS = {"floatx": "float32", "image_data_format": "channels_last"}


def start_backend() -> None:
    """Import Keras without log output. Commands call this before they use Keras.

    The environment variable KERAS_BACKEND names the backend; the default is TensorFlow.

    Raises:
        ZooError: there is no such backend, it is not installed, or Keras cannot be imported.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    os.environ["KERAS_BACKEND"] = backend
    check_choice("KERAS_BACKEND", backend, _BACKENDS)
    if backend == "tensorflow":
        import_tensorflow()
    elif importlib.util.find_spec(backend) is None:
        raise ZooError(
            f"KERAS_BACKEND is {backend!r}, which is not installed. Install it, or unset KERAS_BACKEND "
            "to use TensorFlow."
        )
    _import_keras()


@functools.cache
def _import_keras() -> None:
    """Import Keras without log output.

    On the JAX and PyTorch backends, Keras imports TensorFlow if it is installed, at the latest when
    it sets random seeds. That import is made silent too.

    Settings of the file keras.json of the user that no preset fits are replaced, and reported.

    Raises:
        ZooError: Keras cannot be imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.meta_path.insert(0, _SilentTensorFlow())
    try:
        with silent_stderr():
            import keras
    except (ImportError, ValueError) as error:  # ValueError: an invalid keras.json
        raise ZooError(f"Keras cannot be imported: {' '.join(str(error).split())}") from None
    for name, value in _SETTINGS.items():
        configured = getattr(keras.config, name)()
        if configured != value:
            say(f"Keras is configured with {name} {configured!r}. The zoo uses {value!r}.")
            getattr(keras.config, f"set_{name}")(value)


class _SilentTensorFlow(MetaPathFinder):
    """Import TensorFlow without log output, whichever module imports it."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name == "tensorflow" else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_silently(module: ModuleType) -> None:
            with silent_stderr():
                execute(module)

        vars(spec.loader)["exec_module"] = execute_silently
        return spec


@functools.cache
def import_tensorflow() -> None:
    """Import TensorFlow and start its runtime without log output.

    Its C++ code writes to file descriptor 2 before it reads the log level, so the descriptor is
    redirected. Python errors are raised as usual.

    Raises:
        ZooError: TensorFlow is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if importlib.util.find_spec("tensorflow") is None:
        raise ZooError(
            "TensorFlow is not installed: pip install tensorflow. Without it, presets answer from their "
            "exports: --backend onnx or litert."
        )
    with silent_stderr():
        import tensorflow as tf

        # The first operation starts the runtime; the first compilation by XLA logs again.
        tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(0))


# Only one thread at a time may redirect the descriptor: a second one would save the redirected one.
_lock = threading.RLock()


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Discard what is written to file descriptor 2, also by C++ code, while the block runs."""
    with _lock:
        sys.stderr.flush()
        saved = os.dup(2)
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(null)
