"""The captioner's model: what every model has to stand, its graphs, and that it learns."""

import keras
import numpy as np
import pytest

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
        inputs = {"tokens": token, "h0": states["next_h0"], "c0": states["next_c0"]}
        states = graphs["step"](inputs, training=False)
        np.testing.assert_allclose(states["logits"][:, 0], whole[:, t], atol=1e-5)


def test_file_holds_the_decoder_alone(model, tiny):
    part = tiny.model.own_part(model)
    assert set(part.input) == {"features", "tokens"}
    assert not any(weight.path.startswith("block") for weight in part.weights)
    statistics = {weight.path for weight in part.non_trainable_weights}
    assert statistics == {"norm/moving_mean", "norm/moving_variance"}
