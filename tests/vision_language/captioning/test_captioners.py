"""Tests of the captioners with one recurrent network: graphs, image input, attention."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.common.core.states import next_states
from zoo.common.tasks.sequence_to_sequence import decode
from zoo.vision_language.captioning.models.attend_and_tell import AttendAndTell

SMALL = {"model.hidden_size": 24, "model.embedding_size": 16}
TINY = {
    "vision_language/neuraltalk-rsicd": SMALL,
    "vision_language/mrnn-rsicd": SMALL,
    "vision_language/lrcn-rsicd": SMALL,
    "vision_language/attend-and-tell-rsicd": {**SMALL, "model.attention_size": 8},
}
FEATURES = np.random.default_rng(0).uniform(0, 3, (2, 6, 6, 512)).astype(np.float32)


@pytest.fixture(scope="module", params=sorted(TINY))
def recipe(request, tiny):
    own = entry(request.param).recipe().override(TINY[request.param])
    model = replace(own.model, vocabulary_size=tiny.model.vocabulary_size)
    return replace(tiny, name=own.name, model=model)


@pytest.fixture(scope="module")
def model(recipe):
    keras.utils.set_random_seed(1)
    return recipe.model.build()


@pytest.mark.slow
def test_harness(recipe, examples, tmp_path):
    check_model(recipe, examples, tmp_path / "run")


def test_graphs_give_the_logits_of_the_model(model, recipe):
    """Single steps from the initial states give the logits of the whole caption."""
    graphs, specs = (
        recipe.model.keras_graphs(model) | recipe.model.graphs(model),
        recipe.model.states,
    )
    tokens = np.random.default_rng(0).integers(0, recipe.model.vocabulary_size, (2, 5), np.int32)
    decoder = recipe.model.training_model(model)
    whole = decoder({"features": FEATURES, "tokens": tokens}, training=False)["logits"]
    states = graphs["encoder_from_features"]({"features": FEATURES}, training=False)
    constants = {s.name: states[f"next_{s.name}"] for s in specs if s.constant}
    outputs = states
    for t in range(5):
        token = keras.ops.convert_to_tensor(tokens[:, t : t + 1])
        now = constants | next_states(specs, outputs)
        outputs = graphs["step"]({"tokens": token, **now}, training=False)
        np.testing.assert_allclose(outputs["logits"][:, 0], whole[:, t], atol=1e-5)
    for spec in specs:
        assert states[f"next_{spec.name}"].shape == (2, *spec.shape)
    assert {spec.name for spec in recipe.model.step_outputs} <= set(outputs)


def test_image_has_an_effect_on_every_step(model, recipe):
    decoder = recipe.model.training_model(model)
    tokens = np.ones((2, 4), np.int32)
    logits = [
        np.array(decoder({"features": f, "tokens": tokens}, training=False)["logits"])
        for f in (FEATURES, FEATURES[::-1])
    ]
    assert (np.abs(logits[0] - logits[1]).max(axis=(0, 2)) > 1e-5).all()


def test_attention_equals_its_equations(tiny):
    """alpha is softmax(v tanh(keys + query)), and a sum over the regions is 1."""
    config = AttendAndTell(
        vocabulary_size=tiny.model.vocabulary_size,
        hidden_size=24,
        embedding_size=16,
        attention_size=8,
    )
    recipe = replace(tiny, model=config)
    keras.utils.set_random_seed(1)
    model = config.build()
    graphs = config.graphs(model) | config.keras_graphs(model)
    states = graphs["encoder_from_features"]({"features": FEATURES}, training=False)

    def step(**inputs):
        outputs = graphs["step"](inputs, training=False)
        return {name: np.array(value) for name, value in outputs.items()}

    predictor = recipe.predictor(Graphs("keras", {}))
    decoded = decode(predictor, step, {k: np.array(v) for k, v in states.items()}, np)
    attention, length = decoded.extras["attention"][0, 0], int(decoded.lengths[0, 0])
    assert attention.shape == (recipe.decoder.max_length + 1, 36)
    np.testing.assert_allclose(attention[:length].sum(axis=-1), 1, atol=1e-5)

    decoder = config.training_model(model)
    layer = decoder.get_layer
    tokens = np.array([[3, 1], [2, 2]], np.int32)
    now = {k.removeprefix("next_"): np.array(v) for k, v in states.items()}
    outputs = step(tokens=tokens, **now)
    h, _, _ = layer("lstm0")(layer("embedding")(tokens), initial_state=[now["h0"], now["c0"]])
    asked = np.array(h) @ np.array(layer("query").kernel)
    energy = np.tanh(asked[:, :, None] + now["keys"][:, None]) @ np.array(layer("score").kernel)
    by_hand = np.exp(energy[..., 0])
    by_hand /= by_hand.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(outputs["attention"], by_hand, atol=1e-5)


def test_plot_of_attention(tiny, examples, tmp_path):
    config = AttendAndTell(
        vocabulary_size=tiny.model.vocabulary_size,
        hidden_size=8,
        embedding_size=8,
        attention_size=4,
    )
    graphs = Graphs("keras", config.functions(config.build()))
    source, path = str(examples[0].image), tmp_path / "attention.png"
    recipe = replace(tiny, model=config)
    recipe.data.plot_input(recipe.predictor(graphs), recipe.task, source, path)
    assert min(Image.open(path).size) > 200
    with pytest.raises(ZooError, match="no attention to draw"):
        tiny.data.plot_input(tiny.predictor(graphs), tiny.task, source, path)


@pytest.mark.parametrize(
    ("name", "value"), [("attention_size", 0), ("dropout_values", 1.0), ("hidden_size", 0)]
)
def test_invalid_settings(name, value):
    with pytest.raises(ZooError, match=rf"model\.{name} must be .* Received: {value}"):
        replace(AttendAndTell(), **{name: value})
