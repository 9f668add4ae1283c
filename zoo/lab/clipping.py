"""Train by plain gradient descent, with or without gradient clipping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from zoo.lab.cells import RNN, recurrent_layer, with_radius
from zoo.lab.lags import Problem

UNITS, BATCH, SEED = 32, 32, 0

History = dict[str, list[float]]


def build_training(
    problem: Problem, lag: int, radius: float, clip_norm: float | None, updates: int
) -> Callable[[float], History]:
    """Return a function that trains a simple RNN on a problem, always from the same initial weights.

    Args:
        problem: the problem.
        lag: the lag of its sequences.
        radius: spectral radius of the initial recurrent matrix.
        clip_norm: gradients with a larger norm are scaled down to this norm; None for no clipping.
        updates: number of updates.

    Returns:
        A function from a learning rate to the `loss` and the `gradient_norm` (before clipping) of each
        update.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(SEED)
    time_steps = problem.sequences(np.random.default_rng(SEED), 1, lag)[0].shape[1]
    x = keras.Input((time_steps, problem.features))
    start = with_radius(radius, SEED)
    layer = recurrent_layer(RNN, UNITS, SEED, recurrent_initializer=start, return_sequences=True)
    model = keras.Model(x, problem.build_output(layer(x)))
    optimizer = keras.optimizers.SGD(global_clipnorm=clip_norm)
    loss_of = keras.losses.get(problem.loss)
    weights = model.get_weights()

    @tf.function
    def update(x: Any, y: Any) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(loss_of(y, model(x, training=True)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss, tf.linalg.global_norm(gradients)

    def train(learning_rate: float) -> History:
        model.set_weights(weights)
        optimizer.learning_rate = learning_rate
        random = np.random.default_rng(SEED)
        history: History = {"loss": [], "gradient_norm": []}
        for _ in range(updates):
            x, y = problem.sequences(random, BATCH, lag)
            loss, norm = update(tf.constant(x), tf.constant(y))
            history["loss"].append(float(loss))
            history["gradient_norm"].append(float(norm))
        return history

    return train
