"""Strings in, text or scores out, in one graph: what a language model's SavedModel answers with."""

from __future__ import annotations

import keras
import tensorflow as tf
from keras import ops

from zoo.common import decoding
from zoo.common.task import Signature
from zoo.common.vocabulary import UNKNOWN
from zoo.language.sampling import chooser
from zoo.language.task import LanguageModelling
from zoo.language.text import END_OF_LINE


def signatures(model: keras.Model, task: LanguageModelling) -> dict[str, Signature]:
    """`serving_default`: `prompt` string [batch], `length` int32 [], `temperature` float32 [] and `seed`
    int32 [] to `text` string [batch], each prompt with its continuation.
    `score`: `text` string [batch] to `log_probabilities` float32 [batch, tokens], in nats, 0 behind a
    text's end; `lengths` int32 [batch], its tokens; `log_probability` float32 [batch], their sum.
    Strings are UTF-8. A token that the vocabulary cannot stand for is an error of the graph.
    """
    vocabulary = task.vocabulary
    unknown = vocabulary.index(UNKNOWN) if UNKNOWN in vocabulary else -1
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(vocabulary.tokens), tf.range(len(vocabulary))
        ),
        default_value=unknown,
    )
    names = [name for name in model.input if name != "tokens"]

    def encode(text):
        """Ragged int32 [batch, tokens]."""
        if task.level == "character":
            tokens = tf.strings.unicode_split(text, "UTF-8")
        else:
            tokens = tf.strings.split(tf.strings.regex_replace(text, "\n", f" {END_OF_LINE} "))
        indices = tf.ragged.map_flat_values(table.lookup, tokens)
        known = tf.debugging.assert_non_negative(
            indices.flat_values, f"The model does not know a {task.level} of the text."
        )
        with tf.control_dependencies([known]):
            return tf.identity(indices)

    def from_start(indices):
        """The same with the start before each row."""
        start = tf.fill([indices.nrows(), 1], vocabulary.index(task.start))
        return tf.concat([start, indices], axis=1)

    def run(tokens, states):
        outputs = model({"tokens": tokens, **dict(zip(names, states, strict=True))}, training=False)
        return outputs["logits"], [outputs[f"next_{name}"] for name in names]

    def first_states(rows):
        return [tf.zeros((rows, model.input[name].shape[-1])) for name in names]

    def score(text):
        indices = encode(text)
        tokens = from_start(indices)[:, :-1].to_tensor()
        logits, _ = run(tokens, first_states(tf.shape(tokens)[0]))
        gains = tf.nn.log_softmax(logits)
        lengths = tf.cast(indices.row_lengths(), tf.int32)
        gains = tf.gather(gains, indices.to_tensor(), batch_dims=2)
        gains = tf.where(tf.sequence_mask(lengths, tf.shape(gains)[1]), gains, 0.0)
        return {
            "log_probabilities": gains,
            "lengths": lengths,
            "log_probability": tf.reduce_sum(gains, axis=1),
        }

    def continued(prompt, length, temperature, seed):
        # Said once more, for Keras's own loop: a row of tokens, as the states are.
        indices = tf.ensure_shape(from_start(encode(prompt[tf.newaxis])).to_tensor(), (1, None))
        _, states = run(indices[:, :-1], first_states(1))

        def step(tokens, states):
            logits, states = run(tokens[:, tf.newaxis], states)
            return logits[:, -1], states

        uniforms = tf.random.stateless_uniform([1, length], [seed, 0])
        choose = chooser(task, ops, uniforms)
        tokens = decoding.generate(
            step,
            indices[:, -1],
            states,
            lambda logits, t: choose(logits, t, temperature),
            length,
            ops,
        ).tokens[0]
        written = tf.gather(tf.constant(vocabulary.tokens), tokens)
        if task.level == "character":
            return prompt + tf.strings.reduce_join(written)
        text = tf.strings.reduce_join(tf.concat([[prompt], written], axis=0), separator=" ")
        return tf.strings.regex_replace(text, f" {END_OF_LINE} ?", "\n")

    def generate(prompt, length, temperature, seed):
        return {"text": tf.map_fn(lambda one: continued(one, length, temperature, seed), prompt)}

    return {
        "serving_default": Signature(
            generate,
            [
                tf.TensorSpec([None], tf.string, "prompt"),
                tf.TensorSpec([], tf.int32, "length"),
                tf.TensorSpec([], tf.float32, "temperature"),
                tf.TensorSpec([], tf.int32, "seed"),
            ],
            resources=(table,),
        ),
        "score": Signature(score, [tf.TensorSpec([None], tf.string, "text")], resources=(table,)),
    }
