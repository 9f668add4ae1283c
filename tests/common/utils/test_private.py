"""Test the private APIs of Keras, TensorFlow and JAX that the zoo uses, which an upgrade may change."""

import ast
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import zoo
from zoo.common.layers import recurrent
from zoo.common.utils.private import (
    flat_layers,
    gloo_on_loopback,
    in_xla,
    nodes,
    rnn,
    update_outputs_in_place,
    weight_shapes,
)

PACKAGE = Path(zoo.__file__).parent


@pytest.fixture
def model():
    """Return a model with a layer called twice, a nested model, a layer of two inputs and a wrapper."""
    inner = keras.Sequential(
        [keras.Input((None, 3)), layers.Dense(3, name="inner_dense")], name="inner"
    )
    x, y = keras.Input((None, 3), name="x"), keras.Input((None, 3), name="y")
    twice = layers.Dense(3, name="twice")
    z = layers.Add(name="add")([twice(twice(x)), inner(y)])
    z = layers.Bidirectional(layers.GRU(2, return_sequences=True), name="both")(z)
    return keras.Model({"x": x, "y": y}, {"z": z}, name="outer")


def test_nodes_are_in_topological_order(model):
    made = {id(tensor) for tensor in model.inputs}
    names = []
    for node in nodes(model):
        assert {id(tensor) for tensor in node.input_tensors} <= made
        made |= {id(tensor) for tensor in node.outputs}
        names.append(node.operation.name)
    assert {id(tensor) for tensor in model.outputs} <= made
    assert sorted(names) == sorted(["twice", "twice", "inner", "add", "both"])
    assert names.index("add") > names.index("inner")


def test_nodes_have_the_arguments_of_their_call(model):
    called = {node.operation.name: node for node in nodes(model)}
    (argument,) = called["both"].arguments.args
    assert argument is called["add"].outputs[0]
    assert called["both"].input_tensors == [argument]
    assert called["both"].arguments.kwargs.get("mask") is None


def test_nodes_of_a_sequential_model():
    stack = [layers.Dense(2, name="a"), layers.Dense(2, name="b")]
    model = keras.Sequential([keras.Input((3,)), *stack])
    assert [node.operation for node in nodes(model)] == stack


def test_flat_layers_include_layers_inside_layers(model):
    found = {layer.name for layer in flat_layers(model)}
    assert {"twice", "inner", "inner_dense", "both"} <= found
    assert any(isinstance(layer, layers.GRU) for layer in flat_layers(model))
    assert any(
        isinstance(layer, recurrent.GRU) for layer in flat_layers(recurrent.accelerate(model))
    )


def test_in_xla_is_true_only_in_compiled_functions():
    seen = {}

    def look(name):
        def function(x):
            seen[name] = in_xla()
            return x

        return function

    tf.function(look("compiled"), jit_compile=True)(tf.constant(0))
    tf.function(look("traced"))(tf.constant(0))
    look("eager")(0)
    assert seen == {"compiled": True, "traced": False, "eager": False}


def test_outputs_of_loops_are_updated_in_place(tmp_path, capfd):
    """Otherwise each step copies all outputs, in a SELECT or a CONCATENATION."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")

    class Loop(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, None, 2), name="x")])
        def run(self, x):
            steps = tf.shape(x)[1]
            array = tf.TensorArray(tf.float32, steps, element_shape=(2,))
            body = lambda i, array: (i + 1, array.write(i, x[0, i]))  # noqa: E731
            _, array = tf.while_loop(lambda i, _: i < steps, body, (0, array))
            return {"y": array.stack()}

    module = Loop()
    tf.saved_model.save(module, str(tmp_path), {"run": module.run})
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path), ["run"])
    update_outputs_in_place(converter)
    content = converter.convert()
    x = np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    runner = interpreter.Interpreter(model_content=content).get_signature_runner("run")
    np.testing.assert_array_equal(runner(x=x)["y"], x[0])
    tf.lite.experimental.Analyzer.analyze(model_content=content)
    assert "DYNAMIC_UPDATE_SLICE" in capfd.readouterr().out


PRIVATE = {
    "_experimental_enable_dynamic_update_slice",
    "_nodes_by_depth",
    "_functional",
    "_flatten_layers",
    "_inbound_nodes",
    "__internal__",
}


def test_private_apis_are_used_in_one_file_only():
    for path in PACKAGE.rglob("*.py"):
        if path.name == "private.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Attribute):
                names = [node.attr]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                assert name not in PRIVATE, path
                assert not name.startswith(("keras.src", "tensorflow.python")), path


def test_weight_shapes_allocate_no_weights(model):
    """The weights of this layer would need 4 TB. A later scope does not initialize them."""

    def build():
        return keras.Sequential([keras.Input((10**6,)), layers.Dense(10**6)])

    assert weight_shapes(build) == [(10**6, 10**6), (10**6,)]
    with keras.StatelessScope():
        pass
    shapes = [tuple(weight.shape) for weight in model.weights]
    assert weight_shapes(lambda: keras.models.clone_model(model)) == shapes


@pytest.mark.parametrize("reverse", [False, True])
def test_rnn_is_a_loop_over_time_of_any_length(reverse):
    def step(x, states):
        total = states[0] + x
        return 2 * total, [total]

    @tf.function(
        input_signature=[tf.TensorSpec((None, None, 1)), tf.TensorSpec((None, None, 1), "bool")]
    )
    def run(x, mask):
        return rnn(step, x, [tf.zeros((2, 1))], mask, reverse)

    x = tf.reshape(tf.range(1.0, 11.0), (5, 2, 1))
    mask = np.ones((5, 2, 1), bool)
    mask[1, 1] = False
    last, outputs, (state,) = run(x, mask)
    np.testing.assert_array_equal(state[:, 0], [25, 26])  # 1 + 3 + 5 + 7 + 9, 2 + 6 + 8 + 10
    np.testing.assert_array_equal(last, outputs[-1])
    first_row = np.cumsum([9, 7, 5, 3, 1] if reverse else [1, 3, 5, 7, 9])
    np.testing.assert_array_equal(outputs[:, 0, 0], 2 * first_row)


def test_gloo_on_loopback_replaces_the_cpu_client(monkeypatch):
    from jax._src import xla_bridge
    from jax._src.lib import _jax

    before = xla_bridge._backend_factories
    monkeypatch.setattr(xla_bridge, "_backend_factories", dict(before))
    gloo_on_loopback()
    assert xla_bridge._backend_factories["cpu"].factory is not before["cpu"].factory
    assert "hostname" in _jax.make_gloo_tcp_collectives.__doc__
