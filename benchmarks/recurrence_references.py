"""Compare recurrent layers of the zoo with other implementations: the numbers and the times.

    pip install torch mingru-pytorch reservoirpy xlstm
    python benchmarks/recurrence_references.py --repeats 5

Both sides have the same weights and inputs. A run is the forward pass and the gradients of weights and
inputs on two threads; of an echo state network, whose weights are fixed, the forward pass. All runs
alternate in one process. `difference` is the largest difference of the outputs, divided by their
largest value, and `gradient_difference` that of the gradients of the inputs.
`docs/recurrences.md` has the result.

The other implementations are `torch.nn.LSTM`; `minGRU` of mingru-pytorch, whose candidate is x + 0.5
where x is positive, so that inputs, weights and the bias of the candidate are chosen such that both
compute the same; `parallel_stabilized_simple` of xlstm with the same projections, for mLSTM;
`slstm_forward_pointwise` of xlstm in a loop over time, for sLSTM; and `Reservoir` of reservoirpy.
"""

import argparse
import copy
import statistics

import _timing
import numpy as np

SHAPES = [(16, 200, 256), (1, 1000, 512)]  # batch, steps, and units, as many as inputs
HEADS = 4


def zoo_run(layer, x):
    """Return a run of a built layer of the zoo: outputs, and gradients of the inputs."""
    import tensorflow as tf

    x = tf.constant(x)

    @tf.function(input_signature=[tf.TensorSpec((None, None, x.shape[-1]))])
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * y)
        gradients = tape.gradient(loss, [x, *(w.value for w in layer.trainable_weights)])
        return y, gradients[0]

    return lambda: [part.numpy() for part in step(x)]


def pytorch_run(forward, parameters, x):
    """Return a run of a PyTorch function: outputs, and gradients of the inputs."""
    import torch

    x = torch.from_numpy(x).requires_grad_(True)
    for parameter in parameters:
        parameter.requires_grad_(True)

    def step():
        for tensor in (x, *parameters):
            tensor.grad = None
        y = forward(x)
        (y * y).sum().backward()
        return y.detach().numpy(), x.grad.numpy().copy()

    return step


def built(layer, units):
    """Return a layer for as many inputs as units."""
    layer.build((None, None, units))
    return layer


def lstm(x, units):
    """Return the runs of both LSTMs. PyTorch has two biases, of which one is set to 0."""
    import torch

    from zoo.common.layers import recurrent

    layer = built(recurrent.LSTM(units, return_sequences=True), units)
    kernel, recurrent_kernel, bias = (torch.tensor(np.array(w).T) for w in layer.get_weights())
    other = torch.nn.LSTM(units, units, batch_first=True)
    weights = (kernel, recurrent_kernel, bias, torch.zeros_like(bias))
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    other.load_state_dict(dict(zip(names, weights, strict=True)))
    parameters = list(other.parameters())
    return zoo_run(layer, x), pytorch_run(lambda x: other(x)[0], parameters, x)


def min_gru(x, units):
    """Return the runs of both minimal GRUs."""
    import torch
    from minGRU_pytorch import minGRU

    from zoo.common.layers import recurrent

    layer = built(recurrent.MinGRU(units, return_sequences=True), units)
    gate, candidate = np.split(layer.get_weights()[0], 2, axis=1)
    candidate = np.abs(candidate)
    bias = np.concatenate([np.zeros(units), np.full(units, 0.5)])
    layer.set_weights([np.concatenate([gate, candidate], axis=1), bias])
    other = minGRU(units)
    kernel = torch.tensor(np.concatenate([candidate, gate], axis=1).T)
    other.load_state_dict({"to_hidden_and_gate.weight": kernel})
    x = np.abs(x)
    return zoo_run(layer, x), pytorch_run(other, list(other.parameters()), x)


def mlstm(x, units):
    """Return the runs of both matrix memories."""
    import torch
    from xlstm.blocks.mlstm.backends import parallel_stabilized_simple

    from zoo.common.layers import recurrent

    layer = built(recurrent.MLSTM(units, heads=HEADS, return_sequences=True), units)
    kernel, bias = (torch.tensor(np.array(w)) for w in layer.get_weights())
    sizes = [units] * 4 + [HEADS] * 2

    def forward(x):
        rows, steps = x.shape[:2]

        def heads(part):
            return part.reshape(rows, steps, HEADS, -1).transpose(1, 2)

        q, k, v, o, i, f = torch.split(x @ kernel + bias, sizes, dim=-1)
        h = parallel_stabilized_simple(*map(heads, (q, k, v, i, f)))
        return torch.sigmoid(o) * h.transpose(1, 2).reshape(rows, steps, units)

    return zoo_run(layer, x), pytorch_run(forward, [kernel, bias], x)


def slstm(x, units):
    """Return the runs of both scalar memories. The gates of xlstm are in the order i, f, z, o."""
    import torch
    from xlstm.blocks.slstm.src.vanilla.slstm import slstm_forward_pointwise

    from zoo.common.layers import recurrent

    layer = built(recurrent.SLSTM(units, heads=HEADS, return_sequences=True), units)
    kernel, recurrent_kernel, bias = (torch.tensor(np.array(w)) for w in layer.get_weights())
    size = units // HEADS

    def order(z):
        candidate, i, f, o = torch.split(z, units, dim=-1)
        return torch.cat([i, f, candidate, o], dim=-1)

    def forward(x):
        rows = x.shape[0]
        states = torch.zeros(4, rows, units)
        inputs, outputs = order(x @ kernel + bias), []
        for t in range(x.shape[1]):
            heads = states[0].reshape(rows, HEADS, size).transpose(0, 1)
            product = (heads @ recurrent_kernel).reshape(HEADS, rows, 4, size)
            product = order(product.permute(1, 2, 0, 3).reshape(rows, 4 * units))
            states, _ = slstm_forward_pointwise(
                inputs[:, t], product, torch.zeros(4 * units), states, {}
            )
            outputs.append(states[0])
        return torch.stack(outputs, dim=1)

    return zoo_run(layer, x), pytorch_run(forward, [kernel, recurrent_kernel, bias], x)


def echo_state(x, units):
    """Return the runs of both reservoirs, without gradients."""
    import tensorflow as tf
    from reservoirpy.nodes import Reservoir

    from zoo.common.layers import recurrent

    layer = recurrent.EchoState(units, leak=0.5, input_scale=0.1, return_sequences=True)
    built(layer, units)
    kernel, recurrent_kernel, bias = (np.array(w, np.float64) for w in layer.get_weights())
    other = Reservoir(units, lr=0.5, W=recurrent_kernel.T, Win=kernel.T, bias=bias)
    inputs = tf.constant(x)
    run = tf.function(layer, input_signature=[tf.TensorSpec((None, None, units))])

    def reference():
        # A copy begins with the state zero.
        return [np.stack([copy.deepcopy(other).run(row) for row in x])]

    return lambda: [run(inputs).numpy()], reference


PAIRS = {
    "LSTM": (lstm, "torch.nn.LSTM"),
    "MinGRU": (min_gru, "mingru-pytorch"),
    "MLSTM": (mlstm, "xlstm"),
    "SLSTM": (slstm, "xlstm"),
    "EchoState": (echo_state, "reservoirpy"),
}


def difference(ours, theirs):
    """Return the largest difference divided by the largest value."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def measure(name, shape, repeats):
    """Return the differences and the median milliseconds of a layer and its reference."""
    make, reference = PAIRS[name]
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    ours, theirs = make(x, shape[-1])
    differences = [difference(*pair) for pair in zip(ours(), theirs(), strict=True)]
    times = _timing.alternate({"zoo": ours, "reference": theirs}, repeats)
    return {
        "layer": name,
        "reference": reference,
        "shape": shape,
        "difference": differences[0],
        "gradient_difference": differences[1] if len(differences) > 1 else None,
        "milliseconds": {key: statistics.median(value) for key, value in times.items()},
    }


def main():
    """Measure all pairs and write benchmarks/results/recurrence_references.json."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--layers", nargs="+", choices=PAIRS, default=list(PAIRS))
    arguments = parser.parse_args()
    _timing.set_threads(2)
    machine, results = _timing.machine(), []
    for name in arguments.layers:
        for shape in SHAPES:
            results.append(measure(name, shape, arguments.repeats))
            print(results[-1], flush=True)
    report = {"machine": machine, "repeats": arguments.repeats, "results": results}
    print(_timing.save("recurrence_references", report))


if __name__ == "__main__":
    main()
