"""Optimizers: parts of a recipe that build a Keras optimizer."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import check_range
from zoo.common.core.optimizer import Optimizer

if TYPE_CHECKING:
    import keras

# Biases and scales are not decayed, since they need not be small.
NOT_DECAYED = ["bias", "gamma", "beta"]
# Upper limit of settings, far below the range of float32 and of step counters.
LARGEST = 1_000_000


@dataclass(frozen=True)
class AdamW(Optimizer):
    """AdamW with a linear warm-up and a cosine decay to zero.

    Args:
        learning_rate: peak, which is reached after the warm-up.
        warmup_epochs: number of epochs of the linear rise from zero.
        weight_decay: decoupled decay per step, multiplied by the learning rate (Loshchilov & Hutter,
            2019).
        clip_norm: gradients are scaled down to this global norm.
        average_from: epoch after which the weights are averaged over the ends of epochs. Dev is
            evaluated with the average, and a preset contains it. 0 for no averaging.
        layer_decay: factor by which the learning rate of a layer is smaller than that of the next layer
            towards the output, in a model that starts from trained layers (Howard & Ruder 2018).
    """

    learning_rate: float = 1e-3
    warmup_epochs: float = 1.0
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    average_from: int = 0
    layer_decay: float = 1.0

    def __post_init__(self):
        check_range("optimizer.layer_decay", self.layer_decay, above=0, at_most=1)
        check_range("optimizer.learning_rate", self.learning_rate, above=0, at_most=LARGEST)
        check_range("optimizer.clip_norm", self.clip_norm, above=0, at_most=LARGEST)
        check_range("optimizer.warmup_epochs", self.warmup_epochs, at_least=0, at_most=LARGEST)
        check_range("optimizer.average_from", self.average_from, at_least=0, at_most=LARGEST)
        check_range("optimizer.weight_decay", self.weight_decay, at_least=0, at_most=LARGEST)

    def build(
        self, epochs: int, steps_per_epoch: int, depths: Mapping[str, int] | None = None
    ) -> keras.optimizers.Optimizer:
        import keras

        warmup, peak = round(self.warmup_epochs * steps_per_epoch), float(self.learning_rate)
        scales = {path: self.layer_decay**depth for path, depth in (depths or {}).items()}
        kind: Any = keras.optimizers.AdamW
        if self.layer_decay < 1:
            from zoo.common.training.layer_groups import DiscriminativeAdamW

            kind = functools.partial(DiscriminativeAdamW, scales)
        optimizer = kind(
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
    """Gradient descent with a constant learning rate.

    Args:
        learning_rate: the learning rate.
        momentum: float in [0, 1), share of the last step in the next one.
        weight_decay: as in `AdamW`.
        clip_norm: as in `AdamW`.
        average_from: as in `AdamW`.
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

    def build(
        self, epochs: int, steps_per_epoch: int, depths: Mapping[str, int] | None = None
    ) -> keras.optimizers.Optimizer:
        """Return the Keras optimizer. It does not depend on the length of the run."""
        import keras

        optimizer = keras.optimizers.SGD(
            float(self.learning_rate),
            momentum=self.momentum,
            weight_decay=self.weight_decay or None,
            global_clipnorm=self.clip_norm,
        )
        optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
        return optimizer
