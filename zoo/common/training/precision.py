"""The precision of a training: the meaning of "auto" on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras

from zoo.common.core.recipe import Recipe
from zoo.common.training.trainers import GradientDescent

AUTO = "auto"
# Linux names of the instructions for products of bfloat16 numbers that are summed in float32.
BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


def chosen_precision(recipe: Recipe, log: Callable[[str], None]) -> Recipe:
    """Return a recipe with "auto" in `training.precision` replaced, and log the choice.

    It is replaced by "mixed_bfloat16" on TensorFlow if the processor has instructions for it, else by
    "float32".
    """
    training = recipe.training
    if not isinstance(training, GradientDescent) or training.precision != AUTO:
        return recipe
    found = bfloat16_instructions() if keras.config.backend() == "tensorflow" else ""
    precision = "mixed_bfloat16" if found else "float32"
    why = f"this processor has {found}" if found else "no bfloat16 instructions were found"
    log(f"Precision: {precision} ({why}).")
    return replace(recipe, training=replace(training, precision=precision))


def bfloat16_instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor's bfloat16 instructions; "" if it has none."""
    try:
        words = cpuinfo.read_text().split()
    except OSError:
        return ""  # not Linux
    return next((name for name in BFLOAT16_INSTRUCTIONS if name in words), "")
