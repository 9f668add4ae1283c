"""Optimizers: how the weights move. Each is a part of a recipe that makes a Keras optimizer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.optimizer import Optimizer

if TYPE_CHECKING:
    import keras

# What is not decayed: offsets and scales have no reason to be small.
NOT_DECAYED = ["bias", "gamma", "beta"]
# More than can be meant of any setting; far less than float32 and the counters of steps can hold.
LARGEST = 1_000_000


@dataclass(frozen=True)
class AdamW(Optimizer):
    """AdamW with a linear warm-up and a cosine decay to zero.

    learning_rate: float. The peak, reached after the warm-up.
    warmup_epochs: float. Epochs of linear rise from zero.
    weight_decay: float. Decoupled decay per step, times the learning rate (Loshchilov & Hutter 2019).
    clip_norm: float. Gradients are scaled down to this global norm.
    average_from: int. The epoch from whose end on the weights are averaged over the ends of epochs,
        which is what dev measures and what a preset holds; 0 for never.
    """

    learning_rate: float = 1e-3
    warmup_epochs: float = 1.0
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    average_from: int = 0

    def __post_init__(self):
        check_range("optimizer.learning_rate", self.learning_rate, above=0, at_most=LARGEST)
        check_range("optimizer.clip_norm", self.clip_norm, above=0, at_most=LARGEST)
        check_range("optimizer.warmup_epochs", self.warmup_epochs, at_least=0, at_most=LARGEST)
        check_range("optimizer.average_from", self.average_from, at_least=0, at_most=LARGEST)
        check_range("optimizer.weight_decay", self.weight_decay, at_least=0, at_most=LARGEST)

    def build(self, epochs: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        """Return the Keras optimizer for a run of so many epochs and steps."""
        import keras

        warmup, peak = round(self.warmup_epochs * steps_per_epoch), float(self.learning_rate)
        optimizer = keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(
                0.0 if warmup else peak,
                decay_steps=max(1, epochs * steps_per_epoch - warmup),
                warmup_target=peak if warmup else None,
                warmup_steps=warmup,
            ),
            weight_decay=self.weight_decay,
            global_clipnorm=self.clip_norm,
        )
        optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
        return optimizer


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent at one learning rate, with an average of the weights.

    learning_rate, clip_norm, weight_decay, average_from: as of `AdamW`.
    momentum: float in [0, 1). Share of the last step in the next one.
    """

    learning_rate: float = 1.0
    momentum: float = 0.0
    weight_decay: float = 0.0
    clip_norm: float = 0.25
    average_from: int = 0

    def __post_init__(self):
        check_range("optimizer.learning_rate", self.learning_rate, above=0, at_most=LARGEST)
        check_range("optimizer.clip_norm", self.clip_norm, above=0, at_most=LARGEST)
        check_range("optimizer.weight_decay", self.weight_decay, at_least=0, at_most=LARGEST)
        check_range("optimizer.momentum", self.momentum, at_least=0, below=1)
        check_range("optimizer.average_from", self.average_from, at_least=0, at_most=LARGEST)

    def build(self, epochs: int, steps_per_epoch: int) -> keras.optimizers.Optimizer:
        """Return the Keras optimizer; the learning rate does not depend on the length of the run."""
        import keras

        optimizer = keras.optimizers.SGD(
            float(self.learning_rate),
            momentum=self.momentum,
            weight_decay=self.weight_decay or None,
            global_clipnorm=self.clip_norm,
        )
        optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
        return optimizer
