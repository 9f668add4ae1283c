"""Compact recurrent sequence models in TensorFlow and Keras 3: train, evaluate, export.

A function is imported when it is first used: `import zoo` and `zoo.list_models()` do not import
TensorFlow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import register

if TYPE_CHECKING:
    from zoo import layers as layers
    from zoo.api.baseline import baseline
    from zoo.api.create_model import create_model
    from zoo.api.evaluate import evaluate
    from zoo.api.export import export
    from zoo.api.fetch import fetch
    from zoo.api.list_models import list_models
    from zoo.api.load import load
    from zoo.api.plot import plot
    from zoo.api.publish import publish
    from zoo.api.score import score
    from zoo.api.seeds import train_seeds
    from zoo.api.train import train
    from zoo.common.layers.recurrent.convert import accelerate, to_stock
    from zoo.scaling.predict import predict
    from zoo.scaling.tune import tune

__version__ = "0.2.0"
__all__ = [
    "ZooError",
    "accelerate",
    "baseline",
    "create_model",
    "evaluate",
    "export",
    "fetch",
    "list_models",
    "load",
    "plot",
    "predict",
    "publish",
    "register",
    "score",
    "to_stock",
    "train",
    "train_seeds",
    "tune",
]
# The module of each function that is imported when it is used.
_MODULES = {
    "accelerate": "zoo.common.layers.recurrent.convert",
    "baseline": "zoo.api.baseline",
    "create_model": "zoo.api.create_model",
    "evaluate": "zoo.api.evaluate",
    "export": "zoo.api.export",
    "fetch": "zoo.api.fetch",
    "list_models": "zoo.api.list_models",
    "load": "zoo.api.load",
    "plot": "zoo.api.plot",
    "predict": "zoo.scaling.predict",
    "publish": "zoo.api.publish",
    "score": "zoo.api.score",
    "to_stock": "zoo.common.layers.recurrent.convert",
    "train": "zoo.api.train",
    "train_seeds": "zoo.api.seeds",
    "tune": "zoo.scaling.tune",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import `zoo.layers` or a function when it is used."""
        if name == "layers":
            return import_module("zoo.layers")
        if name in _MODULES:
            return getattr(import_module(_MODULES[name]), name)
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "layers"})
