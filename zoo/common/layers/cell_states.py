"""The states of recurrent layers by name, with their sizes. This module does not import Keras."""

from __future__ import annotations

from collections.abc import Callable

from zoo.common.core.states import StateSpec

# The recurrent layers of a `RecurrentBlock`.
BLOCK_LAYERS = ("LSTM", "QRNN", "MinGRU", "MinLSTM", "LRU", "RGLRU", "SLSTM", "MLSTM")
# Maps the number of units and of heads to the size of each state, by the class of the layer.
_STATES: dict[str, Callable[[int, int], dict[str, int]]] = {
    "SimpleRNN": lambda units, heads: {"h": units},
    "GRU": lambda units, heads: {"h": units},
    "LSTM": lambda units, heads: {"h": units, "c": units},
    "QRNN": lambda units, heads: {"c": units, "previous": 3 * units},
    "MinGRU": lambda units, heads: {"h": units},
    "MinLSTM": lambda units, heads: {"h": units},
    "LRU": lambda units, heads: {"real": units, "imaginary": units},
    "RGLRU": lambda units, heads: {"h": units},
    "SLSTM": lambda units, heads: dict.fromkeys("hcnm", units),
    "MLSTM": lambda units, heads: {"C": units * units // heads, "n": units, "m": heads},
    "EchoState": lambda units, heads: {"h": units},
}


def cell_states(layer: str, units: int, heads: int = 4) -> dict[str, int]:
    """Return the size of each state of a recurrent layer, by name.

    Args:
        layer: name of the class of the layer.
        units: number of units.
        heads: number of heads, for layers that have heads.
    """
    return _STATES[layer](units, heads)


def block_states(layer: str, units: int, features: int, kernel_size: int) -> dict[str, int]:
    """Return the size of each state of a `RecurrentBlock`, by name.

    Args:
        layer: name of the class of the recurrent layer in the block.
        units: number of units of that layer.
        features: number of features of the block.
        kernel_size: number of steps that the convolution of the block reads.
    """
    return {"past": (kernel_size - 1) * features, **cell_states(layer, units)}


def state_specs(states: dict[str, int], suffix: str) -> tuple[StateSpec, ...]:
    """Return declarations of states, each name followed by `suffix`, such as the number of the layer."""
    return tuple(StateSpec(f"{name}{suffix}", (size,)) for name, size in states.items())
