"""Test that log output of C++ code is discarded, and that other output is kept."""

import os
import subprocess
import sys
import threading

import pytest

from zoo.common.utils.quiet import silent_stderr

# Stands for Keras on another backend, which loads TensorFlow at import.
NOISY_KERAS = "import os; os.write(2, b'cudart is not installed\\n'); print('imported')"


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
def test_import_of_keras_is_silent_on_other_backends(tmp_path, backend):
    (tmp_path / "keras.py").write_text(NOISY_KERAS)
    code = "from zoo.common.utils.quiet import start_backend; start_backend()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "imported\n", "")


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
