"""One training step of the AN4 recipe, waveform to updated weights: the zoo, stock Keras, PyTorch.

    python benchmarks/training_step.py --threads 1 2

The batch is sixteen real utterances (tests/data/an4), padded to the longest. All have the recipe's
network, dropout, gradient clipping and AdamW. The zoo trains its model as it is; stock Keras the same
model with stock layers and `keras.losses.ctc`, which knows no lengths; PyTorch the same network on
packed sequences, and once more on padded ones, which answers another question.
"""

import argparse
import importlib.util
from pathlib import Path

import _timing
import numpy as np

RECIPE = "speech/bilstm-ctc-an4"
CLIPS = Path(__file__).resolve().parents[1] / "tests" / "data" / "an4"
BATCH = 16


def make_batch(recipe) -> tuple[np.ndarray, ...]:
    """Return waveforms, their lengths, labels and their lengths."""
    from zoo.common.data.batching import pad
    from zoo.speech.audio import read_audio
    from zoo.speech.corpora.an4 import AN4

    examples = AN4.read(CLIPS, "all")[:BATCH]
    waveforms = pad([read_audio(e.audio, 16_000) for e in examples])
    labels = pad([np.array(recipe.data.encode(e), np.int32) for e in examples])
    return *waveforms, *labels


def keras_runs(recipe, batch) -> dict:
    """Return {name: a training step} of the zoo and of stock Keras."""
    import keras

    from zoo.common.layers.recurrent import to_stock
    from zoo.common.training.training_model import TrainingModel

    class Stock(TrainingModel):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            # The class keras.losses.CTC multiplies this by the mask of the frames, and fails.
            return keras.ops.mean(keras.losses.ctc(y["labels"], y_pred["logits"]))

    waveform, lengths, labels, label_lengths = batch
    x = {"waveform": waveform, "lengths": lengths}
    y = {"labels": labels, "label_lengths": label_lengths}

    def step(kind, network):
        training_model = kind(network, recipe.task)
        training_model.compile(
            keras.optimizers.AdamW(
                recipe.optimizer.learning_rate, global_clipnorm=recipe.optimizer.clip_norm
            ),
            jit_compile=False,
        )
        return lambda: training_model.train_on_batch(x, y)

    model = recipe.model.build()
    return {"zoo": step(TrainingModel, model), "keras": step(Stock, to_stock(recipe.model.build()))}


def pytorch_runs(recipe, batch) -> dict:
    """Return {name: a training step} of PyTorch; empty where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return {}
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    config, features = recipe.model, recipe.model.features
    waveform, lengths, labels, label_lengths = map(torch.from_numpy, batch)
    dft = torch.from_numpy(features.dft_kernel()).permute(2, 1, 0).contiguous()
    mel_matrix = torch.from_numpy(features.mel_matrix())
    reduction, hidden = config.subsampling_factor, config.hidden_size

    class Network(nn.Module):
        def __init__(self, packed):
            super().__init__()
            self.packed = packed
            kernel = 2 * reduction - 1
            self.convolutions = nn.ModuleList(
                [
                    nn.Conv2d(
                        1, config.conv_filters, (kernel, 3), (reduction, 2), (reduction - 1, 1)
                    ),
                    nn.Conv2d(config.conv_filters, config.conv_filters, 3, (1, 2), 1),
                ]
            )
            width = config.conv_filters * -(-config.features.mel_bins // 4)
            widths = [width] + [2 * hidden] * (config.layers - 1)
            self.norms = nn.ModuleList([nn.LayerNorm(w) for w in widths])
            self.layers = nn.ModuleList(
                [nn.LSTM(w, hidden, batch_first=True, bidirectional=True) for w in widths]
            )
            self.drop = nn.Dropout(config.dropout)
            self.logits = nn.Linear(2 * hidden, config.vocabulary_size)

        def forward(self):
            with torch.no_grad():
                bins = features.fft_length // 2 + 1
                spectrum = nn.functional.conv1d(
                    waveform[:, None], dft, stride=features.hop_samples
                ).square()
                power = spectrum[:, :bins] + spectrum[:, bins:]
                mel = torch.log(power.transpose(1, 2) @ mel_matrix + 1e-6)
                frames = (lengths - features.window_samples) // features.hop_samples + 1
                inside = (torch.arange(mel.shape[1]) < frames[:, None])[..., None]
                count = frames[:, None, None]
                centred = (mel - (mel * inside).sum(1, keepdim=True) / count) * inside
                deviation = (centred.square().sum(1, keepdim=True) / count).sqrt()
                x = (centred / (deviation + 0.1))[:, None]
                frames = (frames - 1) // reduction + 1
            for convolution in self.convolutions:
                x = torch.relu(convolution(x))
                x = x * (torch.arange(x.shape[2]) < frames[:, None])[:, None, :, None]
            x = x.permute(0, 2, 3, 1).flatten(2)
            for norm, layer in zip(self.norms, self.layers, strict=True):
                x = self.drop(norm(x))
                if self.packed:
                    x = pack_padded_sequence(x, frames, batch_first=True, enforce_sorted=False)
                    x = pad_packed_sequence(layer(x)[0], batch_first=True)[0]
                else:
                    x = layer(x)[0]
            return self.logits(self.drop(x)), frames

    def step(packed):
        torch.manual_seed(0)
        network = Network(packed)
        optimizer = torch.optim.AdamW(network.parameters(), recipe.optimizer.learning_rate)

        def run():
            optimizer.zero_grad()
            logits, frames = network()
            loss = nn.functional.ctc_loss(
                logits.log_softmax(-1).transpose(0, 1),
                labels,
                frames,
                label_lengths,
                reduction="none",
            ).mean()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), recipe.optimizer.clip_norm)
            optimizer.step()
            return loss.item()

        return run

    return {"pytorch": step(packed=True), "pytorch, padded": step(packed=False)}


def products(config, frames: int) -> list[_timing.Product]:
    """Return the matrix products of the recurrent layers, there and back."""
    rows, hidden = BATCH * frames, config.hidden_size
    width = config.conv_filters * -(-config.features.mel_bins // 4)
    inputs = [width] + [2 * hidden] * (config.layers - 1)
    once = [(rows, size + hidden, 4 * hidden) for size in inputs]
    return once * 2 * 3  # two directions; forward, and gradients of inputs and weights


def measure(threads: int, repeats: int) -> dict:
    """Time a step of each contender."""
    _timing.set_threads(threads)
    from zoo.common.core.registry import entry

    recipe = entry(RECIPE).recipe()
    batch = make_batch(recipe)
    runs = keras_runs(recipe, batch) | pytorch_runs(recipe, batch)
    frames = recipe.model.frames(batch[0].shape[1])
    return {"threads": threads} | _timing.compare(runs, products(recipe.model, frames), repeats)


def main() -> None:
    """Time a step with every number of threads, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    report = {"machine": _timing.machine(), "results": []}
    for threads in arguments.threads:
        report["results"].append(_timing.in_own_process(measure, threads, arguments.repeats))
    names = list(report["results"][0]["milliseconds"])
    rows = [
        [r["threads"], r["floor_ms"], *r["milliseconds"].values(), *list(r["ratio"].values())[1:]]
        for r in report["results"]
    ]
    heads = [
        "threads",
        "floor, ms",
        *(f"{n}, ms" for n in names),
        *(f"{n} / zoo" for n in names[1:]),
    ]
    print(_timing.table(heads, rows))
    print(_timing.save("training_step", report))


if __name__ == "__main__":
    main()
