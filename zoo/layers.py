"""The layers of the zoo: recurrent layers for the CPU, and recurrent layers that Keras does not have."""

from zoo.common.layers.recurrent import (
    GRU,
    LRU,
    LSTM,
    MLSTM,
    QRNN,
    RGLRU,
    SLSTM,
    Bidirectional,
    EchoState,
    MinGRU,
    MinLSTM,
    RecurrentBlock,
    SimpleRNN,
)

__all__ = [
    "GRU",
    "LRU",
    "LSTM",
    "MLSTM",
    "QRNN",
    "RGLRU",
    "SLSTM",
    "Bidirectional",
    "EchoState",
    "MinGRU",
    "MinLSTM",
    "RecurrentBlock",
    "SimpleRNN",
]
