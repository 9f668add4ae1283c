"""The raw input of the SavedModel signature of a forecasting model."""

from __future__ import annotations

from zoo.common.core.capabilities import RawInput
from zoo.timeseries.forecasting.forecaster import Forecaster


def series_input(model: Forecaster, horizon: int) -> RawInput:
    """Return the raw input: the model's inputs, with covariates of the whole horizon.

    A longer series is cut to its last values, and the covariates to the same time steps.

    Args:
        model: config of the model.
        horizon: number of steps ahead.
    """
    import tensorflow as tf

    # The number of time steps of covariates after the series. The graph checks it.
    ahead = -(-horizon // model.steps) * model.steps
    spec = [tf.TensorSpec((None, None), tf.float32, "series")]
    if model.covariate_means:
        shape = (None, None, len(model.covariate_means))
        spec.append(tf.TensorSpec(shape, tf.float32, "covariates"))

    def to_inputs(*raw):
        inputs = {each.name: tensor for each, tensor in zip(spec, raw, strict=True)}
        size = tf.shape(inputs["series"])[1]
        message = f"series must have at least {model.context} time steps. Received:"
        checks = [tf.debugging.Assert(size >= model.context, [message, size])]
        if "covariates" in inputs:
            more = tf.shape(inputs["covariates"])[1] - size
            message = (
                f"covariates must have at least {ahead} more time steps than series. Received:"
            )
            checks.append(tf.debugging.Assert(more >= ahead, [message, more]))
        before = tf.maximum(size - model.context, 0)
        with tf.control_dependencies(checks):
            inputs = {name: tensor[:, before:] for name, tensor in inputs.items()}
        if model.covariate_offsets:
            offsets = tf.constant(model.covariate_offsets, tf.float32)
            inputs["covariates"] = inputs["covariates"] - offsets
        series = tf.ensure_shape(inputs["series"], (None, model.context))
        return inputs | {"series": series - model.offset}

    return RawInput(spec, to_inputs)
