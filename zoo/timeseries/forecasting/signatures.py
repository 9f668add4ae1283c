"""The raw input of the SavedModel signature of a forecasting model."""

from __future__ import annotations

from zoo.common.core.capabilities import RawInput
from zoo.timeseries.forecasting.forecaster import Forecaster


def series_input(model: Forecaster, horizon: int) -> RawInput:
    """Return the raw input: the model's inputs, with covariates of the whole horizon.

    Args:
        model: config of the model.
        horizon: number of steps ahead.
    """
    import tensorflow as tf

    # The smallest number of time steps of each tensor. The graph checks it.
    calls = -(-horizon // model.steps)
    least = {"series": model.context, "covariates": model.context + calls * model.steps}
    spec = [tf.TensorSpec((None, None), tf.float32, "series")]
    if model.covariate_means:
        shape = (None, None, len(model.covariate_means))
        spec.append(tf.TensorSpec(shape, tf.float32, "covariates"))

    def to_inputs(*raw):
        inputs = {each.name: tensor for each, tensor in zip(spec, raw, strict=True)}
        sizes = {name: tf.shape(tensor)[1] for name, tensor in inputs.items()}
        checks = [
            tf.debugging.Assert(
                size == least[name] if name == "series" else size >= least[name],
                [f"{name} must have {least[name]} time steps. Received:", size],
            )
            for name, size in sizes.items()
        ]
        with tf.control_dependencies(checks):
            inputs = {name: tf.identity(tensor) for name, tensor in inputs.items()}
        if model.covariate_offsets:
            offsets = tf.constant(model.covariate_offsets, tf.float32)
            inputs["covariates"] = inputs["covariates"] - offsets
        series = tf.ensure_shape(inputs["series"], (None, model.context))
        return inputs | {"series": series - model.offset}

    return RawInput(spec, to_inputs)
