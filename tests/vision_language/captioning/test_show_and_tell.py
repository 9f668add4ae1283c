"""Tests of the model of show-and-tell: harness, graphs, ensemble."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.harness import check_model
from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.states import next_states
from zoo.vision_language.captioning.models.show_and_tell import ShowAndTell


@pytest.fixture(scope="module")
def model(tiny):
    keras.utils.set_random_seed(1)
    return tiny.model.build()


@pytest.mark.slow
def test_harness(tiny, examples, tmp_path):
    check_model(tiny, examples, tmp_path / "run")


def test_graphs_give_the_logits_of_the_model(model, tiny):
    """Single steps from the states after the image give the logits of the whole caption."""
    generator = np.random.default_rng(0)
    image = generator.uniform(0, 255, (2, 192, 192, 3)).astype(np.float32)
    tokens = generator.integers(0, tiny.model.vocabulary_size, (2, 5), np.int32)
    whole = model({"image": image, "tokens": tokens}, training=False)["logits"]
    graphs, specs = tiny.model.graphs(model), tiny.model.states
    outputs = graphs["encoder"]({"image": image}, training=False)
    for t in range(5):
        token = keras.ops.convert_to_tensor(tokens[:, t : t + 1])
        states = next_states(specs, outputs)
        outputs = graphs["step"]({"tokens": token, **states}, training=False)
        np.testing.assert_allclose(outputs["logits"][:, 0], whole[:, t], atol=1e-5)
    assert {spec.name: (None, *spec.shape) for spec in specs} == {
        name: tensor.shape for name, tensor in graphs["step"].input.items() if name != "tokens"
    }


def test_ensemble_averages_logits_but_not_losses(model, tiny, examples):
    """The gradient of a member does not depend on the weights of another member."""
    decoder = tiny.model.training_model(model)
    x, y, _ = next(iter(tiny.data.batches(examples, tiny.model, model, Epoch(0, 4, 0))))

    def gradients(number):
        weights = decoder.get_layer(f"lstm{number}").trainable_variables
        with tf.GradientTape() as tape:
            outputs = decoder(x, training=False)
            loss = tf.reduce_mean(tiny.task.loss(y, outputs))
        np.testing.assert_allclose(
            outputs["logits"],
            np.mean([logits.numpy() for logits in outputs["ensemble_logits"]], 0),
            atol=1e-6,
        )
        return [gradient.numpy() for gradient in tape.gradient(loss, weights)]

    assert tiny.model.ensemble_size > 1
    first, other = gradients(0), decoder.get_layer("logits1")
    kernel = other.kernel.numpy()
    other.kernel.assign(3 * kernel)
    changed = gradients(0)
    other.kernel.assign(kernel)
    assert all(np.abs(gradient).max() > 1e-6 for gradient in first)
    for before, after in zip(first, changed, strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-9)


def test_checkpoint_has_only_the_decoder(model, tiny):
    part = tiny.model.checkpoint_submodel(model)
    assert set(part.input) == {"features", "tokens"}
    assert not any(weight.path.startswith("block") for weight in part.weights)
    statistics = {weight.path for weight in part.non_trainable_weights}
    assert statistics == {"norm/moving_mean", "norm/moving_variance"}


def test_graphs_share_the_weights_of_the_model(model, tiny):
    own = {id(weight) for weight in model.weights}
    for graph in (tiny.model.graphs(model) | tiny.model.keras_graphs(model)).values():
        assert {id(weight) for weight in graph.weights} <= own


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vocabulary_size", 3),
        ("ensemble_size", 0),
        ("hidden_size", 0),
        ("embedding_size", -1),
        ("dropout", 1.0),
    ],
)
def test_invalid_settings(name, value):
    with pytest.raises(ZooError, match=rf"model\.{name} must be .* Received: {value}"):
        replace(ShowAndTell(), **{name: value})
