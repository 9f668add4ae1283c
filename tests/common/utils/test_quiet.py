"""Silence: what C++ writes to file descriptor 2 is not seen, and nothing else is lost."""

import os
import sys
import threading

import pytest

from zoo.common.utils.quiet import descriptor_2_elsewhere


def test_what_is_written_meanwhile_is_not_seen(capfd):
    print("before", file=sys.stderr)
    with descriptor_2_elsewhere():
        os.write(2, b"a line of log\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_an_error_gives_the_descriptor_back(capfd):
    with pytest.raises(RuntimeError), descriptor_2_elsewhere():
        raise RuntimeError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_threads_take_turns(capfd):
    def silent():
        for _ in range(50):
            with descriptor_2_elsewhere():
                os.write(2, b"log\n")

    threads = [threading.Thread(target=silent) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
