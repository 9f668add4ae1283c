"""Fixtures: packages with other implementations. Without a package, its tests are skipped."""

import pytest


@pytest.fixture(scope="session")
def keras_hub():
    """Return the package `keras_hub`, formerly `keras_nlp`."""
    return pytest.importorskip("keras_hub")


@pytest.fixture(scope="session")
def tensorflow_text():
    """Return the package `tensorflow_text`."""
    return pytest.importorskip("tensorflow_text")
