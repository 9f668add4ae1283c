"""Recurrent layers: those of Keras, faster on the CPU, their conversion, and layers that Keras lacks."""

from zoo.common.layers.recurrent.block import RecurrentBlock
from zoo.common.layers.recurrent.convert import accelerate, to_stock
from zoo.common.layers.recurrent.echo_state import EchoState
from zoo.common.layers.recurrent.layers import GRU, LSTM, Bidirectional, SimpleRNN
from zoo.common.layers.recurrent.lru import LRU, RGLRU
from zoo.common.layers.recurrent.min_rnn import MinGRU, MinLSTM
from zoo.common.layers.recurrent.qrnn import QRNN
from zoo.common.layers.recurrent.xlstm import MLSTM, SLSTM

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
    "accelerate",
    "to_stock",
]
