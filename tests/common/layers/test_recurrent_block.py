"""Test the residual block around recurrent layers."""

import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.layers import recurrent
from zoo.common.layers.cell_states import block_states, cell_states

BATCH, TIME, FEATURES, UNITS = 3, 7, 4, 4


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(BATCH, TIME, FEATURES)).astype("float32")


def block_of(name, **options):
    keras.utils.set_random_seed(0)
    return recurrent.RecurrentBlock(getattr(recurrent, name)(UNITS), **options)


def test_equations(x):
    block = block_of("SimpleRNN", kernel_size=2, expansion=3)
    y = np.asarray(block(x))
    filters, bias = np.asarray(block.filters), np.asarray(block.filter_bias)

    def norm(a):
        return (a - a.mean(-1, keepdims=True)) / np.sqrt(a.var(-1, keepdims=True) + 1e-3)

    normed = norm(x)
    before = np.concatenate([np.zeros((BATCH, 1, FEATURES)), normed[:, :-1]], axis=1)
    convolved = before * filters[0] + normed * filters[1] + bias
    kernel, recurrent_kernel, offset = map(np.asarray, block.recurrence.get_weights())
    h, hs = np.zeros((BATCH, UNITS)), []
    for t in range(TIME):
        h = np.tanh(convolved[:, t] @ kernel + h @ recurrent_kernel + offset)
        hs.append(h)
    x = x + np.stack(hs, axis=1) @ np.asarray(block.projection.kernel)
    g, v = np.split(norm(x) @ np.asarray(block.gates.kernel), 2, axis=-1)
    assert g.shape == (BATCH, TIME, 3 * FEATURES)
    x = x + (g / (1 + np.exp(-g)) * v) @ np.asarray(block.output_layer.kernel)
    np.testing.assert_allclose(y, x, atol=1e-5)


@pytest.mark.parametrize("name", ["LSTM", "MinGRU", "MLSTM"])
def test_steps_equal_the_whole_sequence(name, x):
    block = block_of(name, return_state=True)
    whole, *last = block(x)
    states, parts = None, []
    for t in range(TIME):
        y, *states = block(x[:, t : t + 1], initial_state=states)
        parts.append(y)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-5)
    for one, other in zip(last, states, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)
    expected = block_states(name, UNITS, FEATURES, kernel_size=4)
    assert [state.shape[1] for state in last] == list(expected.values())


def test_padding_has_no_effect_in_two_directions(x):
    block = recurrent.RecurrentBlock(recurrent.Bidirectional(recurrent.MinGRU(UNITS)))
    mask = np.tile(np.arange(TIME) < 5, (BATCH, 1))
    noise = np.where(mask[..., None], x, 100).astype("float32")
    np.testing.assert_allclose(block(noise, mask=mask)[:, :5], block(x[:, :5]), atol=1e-5)


def test_file_and_training(x, tmp_path):
    inputs = keras.Input((None, FEATURES))
    model = keras.Model(inputs, block_of("RGLRU", dropout=0.2)(inputs))
    before = [np.array(weight) for weight in model.trainable_weights]
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(x, x + 1, verbose=0)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(np.array(weight) != old), weight.path
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)


def test_invalid_arguments(x):
    with pytest.raises(ZooError, match=r"kernel_size must be at least 1\. Received: 0\."):
        block_of("MinGRU", kernel_size=0)
    both = recurrent.Bidirectional(recurrent.MinGRU(UNITS))
    with pytest.raises(ZooError, match=r"must have one direction\. Received: Bidirectional\."):
        recurrent.RecurrentBlock(both, return_state=True)
    with pytest.raises(ZooError, match="must have no mask with return_state=True"):
        block_of("MinGRU", return_state=True)(x, mask=np.ones((BATCH, TIME), bool))


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM"])
def test_states_of_layers_of_keras(name):
    layer = getattr(recurrent, name)(UNITS)
    assert list(cell_states(name, UNITS).values()) == keras.tree.flatten(layer.cell.state_size)
