"""The captioner's model: what every model has to stand, its graphs, and that it learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.harness import check_model


@pytest.fixture(scope="module")
def model(tiny):
    keras.utils.set_random_seed(1)
    return tiny.model.build()


@pytest.mark.slow
def test_model_stands_what_every_model_has_to(tiny, examples, tmp_path):
    check_model(tiny, examples, tmp_path / "run")


def test_graphs_walk_as_the_model_does(model, tiny):
    """The state after the image and a step at a time give the logits of the whole caption."""
    generator = np.random.default_rng(0)
    image = generator.uniform(0, 255, (2, 192, 192, 3)).astype(np.float32)
    tokens = generator.integers(0, tiny.model.vocabulary_size, (2, 5), np.int32)
    whole = model({"image": image, "tokens": tokens}, training=False)["logits"]
    graphs = tiny.task.graphs(model, tiny)
    states = graphs["encoder"]({"image": image}, training=False)
    for t in range(5):
        token = keras.ops.convert_to_tensor(tokens[:, t : t + 1])
        inputs = {name: states[f"next_{name}"] for name in tiny.model.states}
        states = graphs["step"]({"tokens": token, **inputs}, training=False)
        np.testing.assert_allclose(states["logits"][:, 0], whole[:, t], atol=1e-5)


def test_members_tell_together_but_learn_by_themselves(model, tiny, examples):
    """The logits are the mean of theirs; a member's gradient does not depend on another's weights."""
    decoder = tiny.model.own_part(model)
    (batch,) = tiny.task.batches(model, tiny, examples, epoch=0).take(1)
    x, y, _ = batch

    def gradients(member):
        weights = decoder.get_layer(f"lstm{member}").trainable_variables
        with tf.GradientTape() as tape:
            outputs = decoder(x, training=False)
            loss = tf.reduce_mean(tiny.task.loss(y, outputs))
        np.testing.assert_allclose(
            outputs["logits"],
            np.mean([logits.numpy() for logits in outputs["members"]], 0),
            atol=1e-6,
        )
        return [gradient.numpy() for gradient in tape.gradient(loss, weights)]

    assert tiny.model.members > 1
    first, other = gradients(0), decoder.get_layer("logits1")
    kernel = other.kernel.numpy()
    other.kernel.assign(3 * kernel)
    changed = gradients(0)
    other.kernel.assign(kernel)
    assert all(np.abs(gradient).max() > 1e-6 for gradient in first)
    for before, after in zip(first, changed, strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-9)


def test_file_holds_the_decoder_alone(model, tiny):
    part = tiny.model.own_part(model)
    assert set(part.input) == {"features", "tokens"}
    assert not any(weight.path.startswith("block") for weight in part.weights)
    statistics = {weight.path for weight in part.non_trainable_weights}
    assert statistics == {"norm/moving_mean", "norm/moving_variance"}
