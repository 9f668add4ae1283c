"""The precision of a training: what "auto" stands for on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras

from zoo.common.core.recipe import Recipe
from zoo.common.training.trainers import GradientDescent

AUTO = "auto"
# As Linux names the instructions: products of bfloat16 numbers, summed in float32.
BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


def chosen_precision(recipe: Recipe, log: Callable[[str], None]) -> Recipe:
    """Return a recipe whose `training.precision` is no longer "auto", and say what it has become.

    It is "mixed_bfloat16" on TensorFlow where the processor multiplies in it, else "float32".
    """
    training = recipe.training
    if not isinstance(training, GradientDescent) or training.precision != AUTO:
        return recipe
    found = bfloat16_instructions() if keras.config.backend() == "tensorflow" else ""
    precision = "mixed_bfloat16" if found else "float32"
    why = f"this processor has {found}" if found else "no instructions for bfloat16 were found"
    log(f"Precision: {precision}, as {why}.")
    return replace(recipe, training=replace(training, precision=precision))


def bfloat16_instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor's instructions for products in bfloat16, "" for none."""
    try:
        words = cpuinfo.read_text().split()
    except OSError:
        return ""  # no Linux
    return next((name for name in BFLOAT16_INSTRUCTIONS if name in words), "")
