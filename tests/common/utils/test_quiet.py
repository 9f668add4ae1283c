"""Test that log output of C++ code is discarded, and that other output is kept."""

import os
import subprocess
import sys
import threading

import pytest

from zoo.common.utils.quiet import silent_stderr

# A module that writes to file descriptor 2 when it is imported.
NOISY = "import os; os.write(2, b'cudart is not installed\\n'); print(__name__)"


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
    for module in ("keras", "tensorflow"):
        (tmp_path / f"{module}.py").write_text(NOISY)
    code = "from zoo.common.utils.quiet import start_backend; start_backend(); import tensorflow"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "keras\ntensorflow\n", "")


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
