"""Runtime: an export has the outputs of the Keras model, also for inputs that are not its examples."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from tests.invariance.presets import EXAMPLES, graph_inputs, load

# A preset of each kind of input: series, letters, series of several channels, characters.
PRESETS = (
    "timeseries/rnn-laser",
    "language/bilstm-tagger-an4",
    "timeseries/bilstm-japanese-vowels",
    "language/charlstm-hello",
)
RUNTIMES = (
    "onnx",
    pytest.param("litert", marks=pytest.mark.slow),
    pytest.param("savedmodel", marks=pytest.mark.slow),
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return a function that exports a preset once and opens it in a runtime."""

    @functools.cache
    def exported(name: str, runtime: str):
        folder = tmp_path_factory.mktemp("exports") / "export"
        zoo.export(name, runtime, folder)
        return zoo.load(folder, runtime)

    return exported


def varied(inputs: dict[str, np.ndarray], seed: int) -> dict[str, np.ndarray]:
    """Return inputs with other numbers of the same range, and with the same lengths."""
    generator, found = np.random.default_rng(seed), {}
    for name, array in inputs.items():
        is_length = array.ndim < 2
        is_index = array.dtype.kind == "i"
        draw = (
            generator.permuted(array.ravel())
            if is_index
            else generator.normal(array.mean(), array.std(), array.shape)
        )
        found[name] = array if is_length else draw.reshape(array.shape).astype(array.dtype)
    return found


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", PRESETS)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_outputs_do_not_depend_on_the_runtime(exported, name, runtime, seed):
    preset = exported(name, runtime)
    for graph, function in preset.graphs.items():
        inputs = varied(graph_inputs(name, graph), seed)
        found, expected = function(**inputs), load(name).graphs[graph](**inputs)
        assert found.keys() == expected.keys()
        for key, values in expected.items():
            np.testing.assert_allclose(found[key], values, rtol=1e-3, atol=1e-4, err_msg=key)


@pytest.mark.parametrize(
    "name", ["language/charlstm-hello", pytest.param("language/rnn-ptb", marks=pytest.mark.slow)]
)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), sampler=st.sampled_from(["random", "top_k", "top_p"]))
def test_sampled_texts_do_not_depend_on_the_runtime(exported, name, seed, sampler):
    options = {"seed": seed, "sampler": sampler, "length": 30}
    texts = [
        zoo.predict(preset, ["he"], options=options).outputs
        for preset in (load(name), exported(name, "onnx"))
    ]
    assert texts[0] == texts[1]
