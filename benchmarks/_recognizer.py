"""Training step of the recognizer of AN4: sixteen real utterances (tests/data/an4), padded.

The model of stock Keras has stock layers and the loss `keras.losses.ctc`, which ignores lengths. PyTorch
runs the network on packed sequences, and also on padded ones, which gives other results.
"""

from pathlib import Path

import numpy as np

CLIPS = Path(__file__).resolve().parents[1] / "tests" / "data" / "an4"
BATCH = 16
PYTORCH = ("pytorch", "pytorch, padded")


def make_recipe():
    """Return the recipe."""
    from zoo.common.core.registry import entry

    return entry("speech/bilstm-ctc-an4").recipe()


def make_batch(recipe) -> tuple[dict, dict]:
    """Return x and y of a batch."""
    from zoo.common.data.batching import pad
    from zoo.speech.audio.reading import read_audio
    from zoo.speech.recognition.corpora.an4 import AN4

    examples = AN4.read(CLIPS, "all")[:BATCH]
    waveform, lengths = pad([read_audio(e.audio, 16_000) for e in examples])
    labels, label_lengths = pad([np.array(recipe.data.encode(e), np.int32) for e in examples])
    return (
        {"waveform": waveform, "lengths": lengths},
        {"labels": labels, "label_lengths": label_lengths},
    )


def trained_part(model):
    """Return the trained part of a model."""
    return model


def keras_loss(y, outputs):
    """Return the loss by stock Keras."""
    import keras

    # The class keras.losses.CTC fails, because it multiplies this by the mask of the frames.
    return keras.losses.ctc(y["labels"], outputs["logits"])


def pytorch_network(recipe, x, y, contender):
    """Return the PyTorch network, and a function that returns its loss."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    waveform, lengths, labels, label_lengths = map(torch.from_numpy, (*x.values(), *y.values()))
    config, features = recipe.model, recipe.model.features
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

    network = Network(packed=contender == "pytorch")

    def loss():
        logits, frames = network()
        log_probs = logits.log_softmax(-1).transpose(0, 1)
        losses = nn.functional.ctc_loss(log_probs, labels, frames, label_lengths, reduction="none")
        return losses.mean()

    return network, loss
