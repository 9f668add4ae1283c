"""Convert a model between Keras's recurrent layers and the fast layers, with shared weights."""

import functools
from collections.abc import Mapping
from typing import Any

import keras

from zoo.common.core.errors import ZooError
from zoo.common.layers.recurrent import layers

_FAST: dict[type, type] = {
    keras.layers.LSTM: layers.LSTM,
    keras.layers.GRU: layers.GRU,
    keras.layers.SimpleRNN: layers.SimpleRNN,
    keras.layers.Bidirectional: layers.Bidirectional,
}
_STOCK: dict[type, type] = {fast: stock for stock, fast in _FAST.items()}


def accelerate(model: keras.Model) -> keras.Model:
    """Return a copy of a model whose recurrent layers run on the fast CPU kernels of the zoo.

    `LSTM`, `GRU`, `SimpleRNN` and `Bidirectional` are replaced, also in nested models. The copy shares
    all variables with `model`: training one also trains the other. The states of a `stateful` layer are
    not shared, and start at zero.

    Args:
        model: functional or Sequential `keras.Model`, built.

    Returns:
        A model with the inputs, outputs, layer names and weights of `model`. Its `save` writes stock
        layers, with the optimizer if it is compiled. On TensorFlow, `jit_compile=False` is the default
        of its `compile`, because the layers use XLA themselves. With Keras's "auto" and a GPU that is
        hidden from TensorFlow, the whole training step would be compiled again for each length.
        docs/recurrent.md states the gain.

    Raises:
        ZooError: `model` is neither functional nor Sequential, or is not built.

    Examples:
        >>> import keras, zoo
        >>> inputs = keras.Input((None, 4))
        >>> model = keras.Model(inputs, keras.layers.LSTM(8)(inputs))
        >>> zoo.accelerate(model).count_params() == model.count_params()
        True
    """
    fast = converted(model, _FAST)
    # Set on the object, because the name of a subclass would be saved in the file.
    fast.save = functools.partial(_save_stock, fast)
    if keras.config.backend() == "tensorflow":
        fast.compile = functools.partial(fast.compile, jit_compile=False)
    return fast


def _save_stock(fast: keras.Model, *args: Any, **kwargs: Any) -> None:
    """Save the model with stock layers, with the arguments of `keras.Model.save`."""
    stock = to_stock(fast)
    if fast.compiled:
        stock.compile_from_config(fast.get_compile_config())
        if fast.optimizer.built:
            stock.optimizer.build(stock.trainable_variables)
            for variable, value in zip(
                stock.optimizer.variables, fast.optimizer.variables, strict=True
            ):
                variable.assign(value)
    stock.save(*args, **kwargs)


def to_stock(model: keras.Model) -> keras.Model:
    """Return a copy of a model with stock Keras layers, whose file can be loaded without the zoo.

    This is the inverse of `accelerate`, and shares the variables in the same way.

    Args:
        model: functional or Sequential `keras.Model`, built.

    Raises:
        ZooError: `model` is neither functional nor Sequential, or is not built.

    Examples:
        >>> import keras, zoo
        >>> inputs = keras.Input((None, 4))
        >>> fast = zoo.accelerate(keras.Model(inputs, keras.layers.LSTM(8)(inputs)))
        >>> type(zoo.to_stock(fast).layers[-1]).__name__
        'LSTM'
    """
    return converted(model, _STOCK)


def converted(model: keras.Model, classes: Mapping[type, type]) -> keras.Model:
    """Return a copy of a model with layers of other classes that share the variables.

    Args:
        model: functional or Sequential `keras.Model`, built.
        classes: the new class of each class of recurrent layers and of `Bidirectional`.

    Raises:
        ZooError: `model` is neither functional nor Sequential, or is not built.
    """
    if getattr(model, "inputs", None) is None:
        raise ZooError(
            "model must be a built functional or Sequential model. "
            f"Received: {type(model).__name__} {getattr(model, 'name', model)!r}."
        )
    return keras.models.clone_model(
        model, clone_function=lambda layer: _convert(layer, classes), recursive=True
    )


def _convert(layer, classes):
    """Return a layer of the new class with the same variables, or the layer itself."""
    new_class = classes.get(type(layer))
    if new_class is None:
        return layer
    if new_class is type(layer) and type(layer.forward_layer) not in classes:
        return layer  # a wrapper of other layers
    config = layer.get_config()
    config.pop("weight_drop", None)  # Keras has no such argument, and only training uses it
    if isinstance(layer, keras.layers.Bidirectional):
        inner = _convert(layer.forward_layer, classes)
        if inner is layer.forward_layer:  # `_share` needs a copy without weights
            inner = type(inner).from_config(inner.get_config())
        config["layer"] = inner
        config["backward_layer"] = _convert(layer.backward_layer, classes)
        new = new_class(**config)
        _share(layer.forward_layer, new.forward_layer)
    else:
        new = new_class.from_config(config)
        new.use_cudnn = getattr(layer, "use_cudnn", None)
        _share(layer, new)
    return new


def _share(layer, new):
    """Give `new` the variables of `layer`, in the same order."""
    if not hasattr(layer, "cell") or new.cell.built:
        return
    for name, variable in list(vars(layer.cell).items()):
        if name != "bias" and not isinstance(variable, keras.Variable):
            continue
        trainable = getattr(variable, "trainable", None)
        if trainable is False:
            # Keras would list it after the trainable variables, and `set_weights` would mix them up.
            variable.trainable = True
        setattr(new.cell, name, variable)
        if trainable is False:
            variable.trainable = False
    new.cell.built = True
