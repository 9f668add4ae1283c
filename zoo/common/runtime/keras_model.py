"""Keras models: the file `model.keras`, the graphs that runtimes run, and the trained part."""

from __future__ import annotations

import io
import zipfile
from abc import abstractmethod
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.model import Contents, Function, ModelConfig
from zoo.common.runtime.file_validation import WEIGHTS_MEMBER, check_declared
from zoo.common.utils.files import atomic_file, check_file
from zoo.common.utils.private import weight_shapes
from zoo.common.utils.quiet import start_backend

if TYPE_CHECKING:
    import keras

# Limit of the depth: building a layer takes time even if it is small.
MAX_LAYERS = 1000
# Name of the graph of a model that answers in one call.
MODEL = "model"


@dataclass(frozen=True)
class KerasModel(ModelConfig):
    """Base class of configs of functional Keras models. Subclasses implement `build`."""

    file: ClassVar[str] = "model.keras"

    # Defaults that a subclass may override

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return the functional models with named inputs and outputs that every runtime runs.

        A model that steps through time has a graph `step`, from tokens (or another input) and its states
        to outputs and next states.
        """
        return {MODEL: model}

    def keras_graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return graphs that only Keras runs, such as one whose input is cached features."""
        return {}

    def training_model(self, model: keras.Model) -> keras.Model:
        """Return the trained part of `model`, from the x of a batch to the inputs of the loss."""
        return model

    def checkpoint_submodel(self, model: keras.Model) -> keras.Model:
        """Return the part of `model` that is stored in its file.

        It is the whole model, unless `build` loads another part, such as a pretrained encoder that
        several models share.
        """
        return model

    def take_weights(self, model: keras.Model, other: keras.Model) -> None:
        """Set the weights of `model` to those of another model with the same shapes.

        A subclass keeps weights that follow from its config.
        """
        model.set_weights(other.get_weights())

    # Derived

    def declared_weights(self) -> list[tuple[int, ...]]:
        """Return the shapes of the weights in the model's file, without allocating them.

        Raises:
            ZooError: the model is too deep or too large.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("layers") and isinstance(value, int):
                check_range(f"model.{field.name}", value, at_most=MAX_LAYERS)
        try:
            return weight_shapes(lambda: self.checkpoint_submodel(self.build()))
        except (OverflowError, MemoryError) as error:
            raise ZooError(f"The model is too large: {' '.join(str(error).split())}.") from None

    def save(self, model: keras.Model, path: Path) -> None:
        """Write stock layers with float32 weights, whatever the precision of the training.

        Layers that Keras does not have are written as those of the zoo.
        """
        from zoo.common.layers.recurrent import to_stock

        stock = to_stock(self.checkpoint_submodel(self.build()))
        stock.set_weights(self.checkpoint_submodel(model).get_weights())
        with atomic_file(path) as temporary:
            stock.save(temporary)

    def load(self, path: Path) -> keras.Model:
        """Load a file in Keras's safe mode and compare its shapes with this config."""
        start_backend()
        check_file(path)
        if not zipfile.is_zipfile(path):
            raise ZooError(f"{path} is corrupt: it is not a complete Keras file.")
        shapes = self.declared_weights()
        try:
            check_declared(path, shapes)
            weights = _open(path).get_weights()
        except ZooError:
            raise
        except Exception as error:  # any exception of zipfile, h5py or Keras for a damaged archive
            reason = " ".join(str(error).split()).split(". ")[0]
            raise ZooError(f"{path} cannot be opened in Keras's safe mode: {reason}.") from None
        model = self.build()
        own = self.checkpoint_submodel(model)
        if [w.shape for w in weights] != [tuple(w.shape) for w in own.weights]:
            raise ZooError(
                f"{path} does not fit the recipe and its assets: the shapes of its weights differ."
            )
        if not all(np.isfinite(w).all() for w in weights):
            raise ZooError(f"{path} is corrupt: it has NaN or infinite weights.")
        own.set_weights(weights)
        return model

    def functions(self, model: keras.Model) -> dict[str, Function]:
        """Return each graph as a function that is traced once, for all sizes of free axes."""
        graphs = self.graphs(model) | self.keras_graphs(model)
        return {name: keras_function(graph) for name, graph in graphs.items()}

    def contents(self, path: Path) -> Contents:
        model = _open(path)
        with zipfile.ZipFile(path) as archive:
            needs_zoo = b'"zoo>' in archive.read("config.json")
        outputs: dict[str, Any] = {}
        for name, output in model.output.items():
            parts = enumerate(output) if isinstance(output, list) else ()
            outputs |= {f"{name}[{i}]": part for i, part in parts} or {name: output}
        return Contents(model.input, outputs, model.count_params(), needs_zoo)

    def shrink(self, path: Path) -> None:
        """Rewrite a model.keras with float16 trained weights, which Keras casts when it loads them.

        Fixed weights keep their precision, since a DFT kernel in half precision would be noisy.
        """
        import h5py

        model = _open(path)
        fixed = [np.asarray(weight) for weight in model.non_trainable_weights]

        def copy(old, new):
            new.attrs.update(old.attrs)
            for name, item in old.items():
                if isinstance(item, h5py.Group):
                    copy(item, new.create_group(name))
                    continue
                value = item[()]
                if not any(np.array_equal(value, weight) for weight in fixed):
                    value = value.astype(np.float16)
                new.create_dataset(name, data=value).attrs.update(item.attrs)

        with zipfile.ZipFile(path) as old:
            members = {name: old.read(name) for name in old.namelist()}
        weights = io.BytesIO()
        with h5py.File(io.BytesIO(members[WEIGHTS_MEMBER])) as old, h5py.File(weights, "w") as new:
            copy(old, new)
        members[WEIGHTS_MEMBER] = weights.getvalue()
        with (
            atomic_file(path) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for name, content in members.items():
                new.writestr(name, content)


@dataclass(frozen=True)
class LinearModel(KerasModel):
    """A Keras model with a linear layer that is solved by least squares."""

    @abstractmethod
    def linear_layer(self, model: keras.Model) -> keras.layers.Dense:
        """Return the layer that is solved."""

    @abstractmethod
    def linear_targets(self, y: dict[str, np.ndarray]) -> np.ndarray:
        """Return the targets of that layer for the y of a batch, float [batch, units]."""


def _open(path: Path) -> keras.Model:
    """Return the model in a file, in Keras's safe mode."""
    import keras

    from zoo.common.layers import recurrent  # noqa: F401 (registers the layers of the zoo)

    return keras.saving.load_model(path, compile=False, safe_mode=True)


def keras_function(model: keras.Model) -> Function:
    """Return a functional model as a function of named arrays, on the current Keras backend."""
    import keras

    if keras.config.backend() == "tensorflow":
        return _tensorflow_function(model)

    def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        arrays = {
            name: np.asarray(inputs[name], tensor.dtype) for name, tensor in model.input.items()
        }
        return model.predict_on_batch(arrays)

    return run


def concrete_function(model: keras.Model, batch: int | None = None) -> Any:
    """Return a functional model as a traced TensorFlow function of its inputs by name.

    Args:
        model: the functional model.
        batch: fixed batch size; None for any.
    """
    import tensorflow as tf

    spec = {
        name: tf.TensorSpec((batch, *tensor.shape[1:]), tensor.dtype, name)
        for name, tensor in model.input.items()
    }
    return tf.function(lambda **inputs: model(inputs, training=False)).get_concrete_function(**spec)


def _tensorflow_function(model: keras.Model) -> Function:
    import tensorflow as tf

    traced = concrete_function(model)

    def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        tensors = {
            name: tf.constant(inputs[name], tensor.dtype) for name, tensor in model.input.items()
        }
        return {name: output.numpy() for name, output in traced(**tensors).items()}

    return run
