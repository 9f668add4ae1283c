"""Keras's recurrent layers, faster on the CPU, and the conversion of models to them and back."""

from zoo.common.layers.recurrent.convert import accelerate, to_stock
from zoo.common.layers.recurrent.layers import GRU, LSTM, Bidirectional, SimpleRNN

__all__ = ["GRU", "LSTM", "Bidirectional", "SimpleRNN", "accelerate", "to_stock"]
