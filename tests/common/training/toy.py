"""Define a recipe that trains in a second on every backend: points in three overlapping clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.data import Batches
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.recipe import Recipe
from zoo.common.data.labels import LabelledData, Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.classification import Classification
from zoo.common.training.optimizers import SGD
from zoo.common.training.trainers import GradientDescent

if TYPE_CHECKING:
    import keras

CLASSES = ("a", "b", "c")
LABELS = Labels(CLASSES, "class")


@dataclass(frozen=True)
class Point:
    id: str
    x: tuple[float, ...]
    label: str


@dataclass(frozen=True)
class Points(LabelledData):
    labels: Labels = LABELS

    def read_manifest(self, path):
        raise NotImplementedError

    def checksum(self, examples):
        return str(hash(tuple(examples)))

    def filter_examples(self, examples, model):
        return examples, {}

    def read_input(self, source, model):
        raise NotImplementedError

    def read_example(self, example, model):
        return {"x": np.array(example.x, np.float32)}

    def example_inputs(self, model, decoder):
        raise NotImplementedError

    def batches(self, examples, model, network, epoch):
        order = np.random.default_rng(epoch.number).permutation(len(examples))
        size = epoch.batch_size

        def generate():
            for start in range(0, len(order), size):
                rows = [examples[i] for i in order[start : start + size]]
                x = self.collate([self.read_example(row, model) for row in rows])
                label = np.array([CLASSES.index(row.label) for row in rows], np.int32)
                yield x, {"label": label}, np.array([row.id for row in rows])

        spec = ({"x": ((None, 4), "float32")}, {"label": ((None,), "int32")})
        return Batches(generate, spec, -(-len(examples) // size))


@dataclass(frozen=True)
class Perceptron(KerasModel):
    hidden_size: int = 8
    dropout: float = 0.3

    def build(self) -> keras.Model:
        import keras
        from keras import layers

        x = keras.Input((4,), name="x")
        y = layers.Dense(self.hidden_size, "tanh", name="hidden")(x)
        y = layers.Dropout(self.dropout, name="dropout")(y)
        logits = layers.Dense(len(CLASSES), name="logits")(y)
        return keras.Model({"x": x}, {"logits": logits}, name="perceptron")


@dataclass(frozen=True)
class Scripted(Classification):
    """Return metrics from a list, one per epoch, instead of measured ones."""

    figures: tuple[float, ...] = ()
    taken: Any = None

    def evaluate(self, predictor, examples):
        self.taken.append(self.figures[len(self.taken)])
        return Evaluation({self.monitor: self.taken[-1]}, len(examples), 0.0)


def scripted(recipe: Recipe, *figures: float) -> Recipe:
    """Return the recipe with scripted accuracies."""
    return replace(recipe, task=Scripted(figures=figures, taken=[]))


def points(count: int, seed: int) -> list[Point]:
    generator = np.random.default_rng(seed)
    labels = [CLASSES[i % 3] for i in range(count)]
    centres = np.eye(3, 4)
    rows = [centres[i % 3] + generator.normal(size=4) for i in range(count)]
    return [
        Point(f"p{seed}-{i}", tuple(row.tolist()), label)
        for i, (row, label) in enumerate(zip(rows, labels, strict=True))
    ]


TRAIN, DEV = points(32, seed=1), points(60, seed=2)

RECIPE = Recipe(
    "toy/perceptron",
    data=Points(),
    model=Perceptron(),
    task=Classification(),
    training=GradientDescent(epochs=4, batch_size=8),
    decoder=Classes(),
    optimizer=SGD(learning_rate=0.5, momentum=0.9),
)
