"""Test the conversion of models between Keras's recurrent layers and the fast layers."""

import zipfile

import keras
import numpy as np
import pytest

import zoo
from zoo.common.core.errors import ZooError
from zoo.common.layers import recurrent
from zoo.common.utils.private import flat_layers


@pytest.fixture
def model():
    """Return a model with all recurrent layers, a shared layer, a nested model, masks and states."""
    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [keras.Input((None, 4)), keras.layers.GRU(4, return_sequences=True)], name="inner"
    )
    x = keras.Input((None, 4), name="x")
    mask = keras.Input((None,), dtype="bool", name="mask")
    shared = keras.layers.LSTM(4, return_sequences=True, return_state=True, name="shared")
    y, *states = shared(inner(x), mask=mask)
    y, *_ = shared(y, mask=mask, initial_state=states)
    y = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True), name="both")(
        y, mask=mask
    )
    y = keras.layers.Dense(4, name="dense")(y)
    y = keras.layers.SimpleRNN(2, name="last")(y, mask=mask)
    return keras.Model({"x": x, "mask": mask}, {"y": y}, name="every_kind")


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    lengths = np.array([[7], [3], [5]])
    return {"x": random.normal(size=(3, 7, 4)).astype("float32"), "mask": np.arange(7) < lengths}


def recurrent_classes(model):
    """Return the classes of all recurrent layers, with wrapped and nested layers."""
    found = []
    for layer in flat_layers(model):
        if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)):
            found.append(type(layer))
    return found


def test_accelerate_replaces_all_recurrent_layers(model, batch):
    fast = recurrent.accelerate(model)
    assert {c.__module__.split(".")[0] for c in recurrent_classes(model)} == {"keras"}
    assert {c.__module__.split(".")[0] for c in recurrent_classes(fast)} == {"zoo"}
    assert len(recurrent_classes(fast)) == len(recurrent_classes(model))
    assert [layer.name for layer in fast.layers] == [layer.name for layer in model.layers]
    np.testing.assert_allclose(fast(batch)["y"], model(batch)["y"], atol=1e-6)


@pytest.mark.slow
def test_training_the_fast_model_trains_the_stock_model(model, batch):
    fast = recurrent.accelerate(model)
    for stock_variable, variable in zip(model.weights, fast.weights, strict=True):
        assert variable is stock_variable
    before = model(batch)["y"].numpy()
    fast.compile("sgd", "mse", jit_compile=False)
    fast.fit(batch, {"y": np.ones((3, 2))}, epochs=2, verbose=0)
    after = model(batch)["y"].numpy()
    assert np.abs(after - before).max() > 1e-4
    np.testing.assert_allclose(after, fast(batch)["y"], atol=1e-6)


def test_to_stock_is_the_inverse_of_accelerate(model):
    back = recurrent.to_stock(recurrent.accelerate(model))
    assert recurrent_classes(back) == recurrent_classes(model)
    assert back.to_json() == model.to_json()


def test_accelerated_model_is_saved_with_stock_layers(model, batch, tmp_path):
    """The file has the optimizer, and `compile` does not use XLA for the whole training step."""
    fast, path = zoo.accelerate(model), tmp_path / "model.keras"
    fast.save(path)
    assert b"zoo" not in zipfile.ZipFile(path).read("config.json")
    fast.compile("adam", "mse")
    assert fast.jit_compile is False
    fast.fit(batch, {"y": np.ones((3, 2))}, epochs=2, verbose=0)
    fast.save(path, overwrite=True)
    assert b"zoo" not in zipfile.ZipFile(path).read("config.json")
    loaded = keras.saving.load_model(path)
    assert recurrent_classes(loaded) == recurrent_classes(model)
    np.testing.assert_allclose(loaded(batch)["y"], fast(batch)["y"], atol=1e-6)
    for variable, other in zip(fast.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(np.array(variable), np.array(other))
    assert int(loaded.optimizer.iterations) == 2


def test_saved_stock_model_needs_only_keras(model, batch, tmp_path):
    path = tmp_path / "model.keras"
    recurrent.to_stock(recurrent.accelerate(model)).save(path)
    with zipfile.ZipFile(path) as archive:
        assert b"zoo" not in archive.read("config.json")
    loaded = keras.saving.load_model(path)
    assert recurrent_classes(loaded) == recurrent_classes(model)
    np.testing.assert_allclose(loaded(batch)["y"], model(batch)["y"], atol=1e-6)


def test_weight_files_are_compatible(model, batch, tmp_path):
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    expected = model(batch)["y"].numpy()
    other = recurrent.accelerate(keras.models.clone_model(model))
    other.load_weights(path)
    np.testing.assert_allclose(other(batch)["y"], expected, atol=1e-6)
    other.save_weights(path)
    model.load_weights(path)
    np.testing.assert_allclose(model(batch)["y"], expected, atol=1e-6)


def test_fast_layers_can_be_saved_and_loaded(model, batch, tmp_path):
    fast = recurrent.accelerate(model)
    keras.saving.save_model(fast, tmp_path / "fast.keras")
    loaded = keras.saving.load_model(tmp_path / "fast.keras")
    assert recurrent_classes(loaded) == recurrent_classes(fast)
    np.testing.assert_allclose(loaded(batch)["y"], model(batch)["y"], atol=1e-6)


def test_accelerate_rejects_other_models():
    class Subclassed(keras.Model):
        pass

    with pytest.raises(ZooError, match="functional or Sequential"):
        recurrent.accelerate(Subclassed())
    with pytest.raises(ZooError, match="functional or Sequential"):
        recurrent.accelerate(keras.Sequential([keras.layers.LSTM(3)]))
