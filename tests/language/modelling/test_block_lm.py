"""Test the language model of recurrent blocks."""

import pytest

from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.language.modelling.data import SAMPLE
from zoo.language.modelling.models.block_lm import BlockLanguageModel

LSTM = "language/charlstm-shakespeare"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mingru", "rglru", "xlstm"])
def test_model_passes_the_harness(kind, tmp_path):
    small = {
        "model.hidden_size": 8,
        "data.time_steps": 16,
        "training.batch_size": 4,
        "decoder.length": 12,
    }
    recipe = entry(f"language/{kind}-shakespeare").recipe().override(small)
    examples = recipe.data.read_manifest(SAMPLE)
    check_model(recipe.adapt(examples), examples, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mingru", "rglru", "xlstm"])
def test_as_many_weights_as_the_lstm(kind):
    counts = []
    for name in (LSTM, f"language/{kind}-shakespeare"):
        shapes = entry(name).recipe().model.declared_weights()
        counts.append(sum(_product(shape) for shape in shapes))
    assert counts[1] == pytest.approx(counts[0], rel=0.05)


def _product(shape):
    count = 1
    for size in shape:
        count *= size
    return count


def test_states_of_each_block():
    model = BlockLanguageModel(10, hidden_size=8, cells=("LSTM", "MLSTM"))
    shapes = {spec.name: spec.shape for spec in model.states}
    assert shapes == {
        "past0": (24,),
        "h0": (8,),
        "c0": (8,),
        "past1": (24,),
        "C1": (16,),
        "n1": (8,),
        "m1": (4,),
    }


def test_invalid_arguments():
    with pytest.raises(ZooError, match=r"model\.cells must have a recurrent layer"):
        BlockLanguageModel(10, cells=())
    with pytest.raises(ZooError, match=r"model\.cells must be one of"):
        BlockLanguageModel(10, cells=("EchoState",))
