"""Language models in TensorFlow graphs: continue and score texts."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.common.core.states import STEP, next_states
from zoo.common.data.vocabulary import UNKNOWN
from zoo.common.decoding.decoders import LEAST_TEMPERATURE
from zoo.common.decoding.generation import (
    NEG_INF,
    generate,
    graph_step,
    greedy_token,
    select_token,
)
from zoo.common.runtime.row_signatures import initial_states_in_graph
from zoo.common.tasks.text_data import TextModel


def generation_mask(predictor: TextModel) -> np.ndarray:
    """Return what is added to the logits, float32 [vocabulary]: `NEG_INF` for an excluded token."""
    vocabulary = predictor.data.vocabulary
    mask = np.zeros(len(vocabulary), np.float32)
    if UNKNOWN in vocabulary and not predictor.decoder.unknown:
        mask[vocabulary.index(UNKNOWN)] = NEG_INF
    return mask


def generate_in_graph(
    predictor: TextModel, indices: Any, length: Any, temperature: Any, seed: Any
) -> Any:
    """Return the tokens generated after `indices` int32 [1, tokens], int32 [length]."""
    import tensorflow as tf
    from keras import ops

    specs, model = predictor.model.states, predictor.graphs[STEP]
    indices = tf.ensure_shape(indices, (1, None))  # Keras's loop needs the batch size of the states
    before = {"tokens": indices[:, :-1], **initial_states_in_graph(specs, 1)}
    uniforms = tf.random.stateless_uniform([1, length], [seed, 0])
    mask = tf.constant(generation_mask(predictor))

    def select(logits, t):
        logits = logits + mask
        drawn = select_token(
            predictor.decoder,
            logits,
            uniforms[:, t],
            ops,
            tf.maximum(temperature, LEAST_TEMPERATURE),
        )
        return tf.where(temperature > 0, drawn, greedy_token(logits, ops))

    decoded = generate(
        graph_step(lambda **inputs: model(inputs, training=False)),
        specs,
        indices[:, -1],
        next_states(specs, model(before, training=False)),
        select,
        length,
        ops,
    )
    return decoded.tokens[0]


def score_in_graph(predictor: TextModel, tokens: Any, lengths: Any) -> dict[str, Any]:
    """Return the answer of the signature `score` of `LanguageModelling.signatures`."""
    import tensorflow as tf

    read, targets = tokens[:, :-1], tokens[:, 1:]
    states = initial_states_in_graph(predictor.model.states, tf.shape(read)[0])
    logits = predictor.graphs[STEP]({"tokens": read, **states}, training=False)["logits"]
    log_probs = tf.gather(tf.nn.log_softmax(logits), targets, batch_dims=2)
    log_probs = tf.where(tf.sequence_mask(lengths, tf.shape(targets)[1]), log_probs, 0.0)
    return {
        "log_probabilities": log_probs,
        "lengths": lengths,
        "log_probability": tf.reduce_sum(log_probs, axis=1),
    }
