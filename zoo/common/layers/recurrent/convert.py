"""Switch a model between Keras's recurrent layers and the fast ones, weights shared."""

import functools
from typing import Any

import keras

from zoo.common.core.errors import ZooError
from zoo.common.layers.recurrent import layers

_FAST = {
    keras.layers.LSTM: layers.LSTM,
    keras.layers.GRU: layers.GRU,
    keras.layers.SimpleRNN: layers.SimpleRNN,
    keras.layers.Bidirectional: layers.Bidirectional,
}
_STOCK = {fast: stock for stock, fast in _FAST.items()}


def accelerate(model: keras.Model) -> keras.Model:
    """The same model with its recurrent layers run by the fast loops.

    `LSTM`, `GRU`, `SimpleRNN` and `Bidirectional` are replaced, in nested models too. All variables
    are shared with `model`: training one trains the other. The states of a `stateful` layer are
    not: they start at zero.

    Args:
        model: functional or Sequential `keras.Model`, built.

    Returns:
        A model with the inputs, outputs, layer names and weights of `model`. Its `save` writes stock
        layers, with the optimizer if it is compiled. On TensorFlow its `compile` has
        `jit_compile=False` as the default: XLA is in the layers. Keras's "auto" is the same without a
        GPU; with one that is hidden from TensorFlow it would compile the whole training step, again for
        each length.

    Raises:
        ZooError: `model` is neither functional nor Sequential, or is not built.
    """
    fast = _switched(model, _FAST)
    # Of this object alone: a class of its own would stand in the file.
    fast.save = functools.partial(_save_stock, fast)
    if keras.config.backend() == "tensorflow":
        fast.compile = functools.partial(fast.compile, jit_compile=False)
    return fast


def _save_stock(fast: keras.Model, *args: Any, **kwargs: Any) -> None:
    """`keras.Model.save` of the same model in stock layers."""
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
    """The same model with stock Keras layers, for a file that opens without the zoo.

    The inverse of `accelerate`, with the same sharing of variables, arguments and errors.
    """
    return _switched(model, _STOCK)


def _switched(model, classes):
    if getattr(model, "inputs", None) is None:
        raise ZooError(
            "Recurrent layers can be switched in a built functional or Sequential model. "
            f"Received: {type(model).__name__} {getattr(model, 'name', model)!r}."
        )
    return keras.models.clone_model(
        model, clone_function=lambda layer: _switch(layer, classes), recursive=True
    )


def _switch(layer, classes):
    """`layer` as the class it maps to, on the same variables; itself where it maps to none."""
    switched = classes.get(type(layer))
    if switched is None:
        return layer
    config = layer.get_config()
    config.pop("weight_drop", None)  # which Keras's own do not have, and training alone uses
    if isinstance(layer, keras.layers.Bidirectional):
        config["layer"] = _switch(layer.forward_layer, classes)
        config["backward_layer"] = _switch(layer.backward_layer, classes)
        new = switched(**config)
        _share(layer.forward_layer, new.forward_layer)
    else:
        new = switched.from_config(config)
        new.use_cudnn = getattr(layer, "use_cudnn", None)
        _share(layer, new)
    return new


def _share(layer, new):
    """Give `new` the variables of `layer`, in the same order."""
    if not hasattr(layer, "cell") or new.cell.built:
        return
    for name in ("kernel", "recurrent_kernel", "bias"):
        variable = getattr(layer.cell, name)
        trainable = getattr(variable, "trainable", None)
        if trainable is False:
            # Keras would list it after those that are trained, so that `set_weights` took one
            # matrix for another.
            variable.trainable = True
        setattr(new.cell, name, variable)
        if trainable is False:
            variable.trainable = False
    new.cell.built = True
