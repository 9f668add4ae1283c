"""Test that log output of C++ code is discarded, and that other output is kept."""

import json
import os
import subprocess
import sys
import threading

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.utils import quiet
from zoo.common.utils.quiet import silent_stderr

# A module that writes to file descriptor 2 when it is imported.
NOISY = "import os; os.write(2, b'cudart is not installed\\n'); print(__name__)"
CONFIG = """
class config:
    floatx = lambda: "float32"
    image_data_format = lambda: "channels_last"
"""


def test_output_in_the_block_is_discarded(capfd):
    print("before", file=sys.stderr)
    with silent_stderr():
        os.write(2, b"a log line\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_descriptor_is_restored_after_an_error(capfd):
    with pytest.raises(RuntimeError), silent_stderr():
        raise RuntimeError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_keras_and_tensorflow_are_imported_silently_on_other_backends(tmp_path, backend):
    for module in ("keras", "tensorflow", backend):
        (tmp_path / f"{module}.py").write_text(NOISY)
    with (tmp_path / "keras.py").open("a") as file:
        file.write(CONFIG)
    code = "from zoo.common.utils.quiet import start_backend; start_backend(); import tensorflow"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "keras\ntensorflow\n", "")


@pytest.mark.parametrize(
    ("backend", "message"),
    [
        (
            "nonsense",
            "KERAS_BACKEND must be one of 'tensorflow', 'jax', 'torch'. Received: 'nonsense'",
        ),
        ("torch", "KERAS_BACKEND is 'torch', which is not installed"),
    ],
)
def test_backends_that_cannot_be_used(monkeypatch, backend, message):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(quiet.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ZooError, match=message):
        quiet.start_backend()


def test_the_configuration_of_keras_is_replaced(tmp_path):
    """The file keras.json of the user may be for models of another kind."""
    file = {"floatx": "float16", "epsilon": 1e-7, "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(file | {"backend": "jax"}))
    code = (
        "from zoo.common.utils.quiet import start_backend; start_backend(); import keras; "
        "print(keras.config.floatx(), keras.config.image_data_format(), keras.config.backend())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": ""},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "float32 channels_last tensorflow\n"
    assert done.stderr == (
        "Keras is configured with floatx 'float16'. The zoo uses 'float32'.\n"
        "Keras is configured with image_data_format 'channels_first'. "
        "The zoo uses 'channels_last'.\n"
    )


def test_threads_redirect_in_turn(capfd):
    def silent():
        for _ in range(50):
            with silent_stderr():
                os.write(2, b"log\n")

    threads = [threading.Thread(target=silent) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
