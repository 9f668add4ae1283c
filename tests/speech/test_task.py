"""The speech task: what can be learnt from, how many batches that is, when masks are drawn."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from zoo.common.errors import ZooError
from zoo.common.registry import entry
from zoo.speech import pipeline
from zoo.speech.corpora import read_corpus
from zoo.speech.task import SpecAugment, SpeechCTC, pad

NO_MASKS = SpecAugment(freq_masks=0, time_masks=0)


@pytest.fixture(scope="module")
def recipe():
    tiny = {"model.layers": 1, "model.hidden_size": 4, "model.conv_filters": 2, "task.speeds": "1"}
    recipe = entry("speech/bilstm-ctc-an4").recipe().override(tiny)
    return replace(recipe, task=replace(recipe.task, spec_augment=NO_MASKS))


@pytest.fixture(scope="module")
def model(recipe):
    return recipe.model.build()


@pytest.fixture(scope="module")
def examples(an4):
    return read_corpus("an4", an4, "all")


@pytest.mark.parametrize("batch_size", [1, 2, 5, 16])
def test_steps_are_the_batches_of_an_epoch(recipe, model, examples, batch_size):
    recipe = recipe.override({"training.batch_size": batch_size})
    batches = list(recipe.task.batches(model, recipe, examples, 0))
    assert recipe.task.steps(recipe, examples) == len(batches)
    ids = sorted(id_.decode() for _, _, batch in batches for id_ in batch.numpy())
    assert ids == sorted(example.id for example in examples)


def test_what_cannot_be_learnt_from_is_counted(recipe, examples, tmp_path):
    broken = tmp_path / "broken.flac"
    broken.write_bytes(examples[0].audio.read_bytes()[:5000])
    bad = [
        replace(examples[0], audio=broken),
        replace(examples[1], transcript="A B C D E F G H I J K L M N O P Q R S T U V W X Y Z " * 2),
    ]
    task = replace(recipe.task, max_seconds=2.8)
    kept, left_out = task.usable([*examples, *bad], recipe.model)
    assert left_out == {
        "longer than 2.8 s": sum(example.seconds > 2.8 for example in examples),
        "unreadable": 1,
        "too short for its transcript": 1,
    }
    assert kept == [example for example in examples if example.seconds <= 2.8]
    with pytest.raises(ZooError, match=r"1 unreadable, 1 too short for its transcript of 2 clips"):
        task.usable(bad, recipe.model)


def test_labels(recipe, examples):
    example = replace(examples[0], transcript="A Z")
    assert recipe.task.encode(example) == [2, 1, 27]
    with pytest.raises(ZooError, match=r"has '\?é', which the alphabet ' ABC"):
        recipe.task.encode(replace(example, transcript="CAFé?"))


def test_a_model_is_traced_once(recipe, model):
    transcribe = recipe.task.transcriber(model)
    assert recipe.task.transcriber(model) is transcribe
    assert replace(recipe.task, beam_width=2).transcriber(model) is not transcribe
    clip = np.sin(np.arange(8000)).astype(np.float32)
    answers = [recipe.task.transcriber(model)(*pad([clip])) for _ in range(2)]
    model.set_weights([weight * 0 for weight in model.get_weights()])
    silent = recipe.task.transcriber(model)(*pad([clip]))
    assert answers[0]["log_probability"] == answers[1]["log_probability"]
    assert silent["log_probability"] != answers[0]["log_probability"]


def test_without_masks_tensorflow_io_is_not_needed(recipe, model, examples, monkeypatch):
    pipeline._tensorflow_io_audio.cache_clear()
    for name in ("tensorflow_io", "tensorflow_io.python.ops"):
        monkeypatch.setitem(sys.modules, name, None)
    assert list(recipe.task.batches(model, recipe, examples[:1], 0))
    masked = replace(recipe, task=replace(recipe.task, spec_augment=SpecAugment()))
    with pytest.raises(ZooError, match="SpecAugment needs tensorflow-io"):
        masked.task.batches(model, masked, examples[:1], 0)


@pytest.mark.parametrize(
    "masks",
    [
        SpecAugment(freq_width=500, time_width=500, time_share=0.99),
        SpecAugment(freq_width=0, time_width=0),
        SpecAugment(time_share=0),
    ],
)
@pytest.mark.parametrize("frames", [1, 2, 50])
def test_masks_of_any_width_fit(masks, frames):
    pytest.importorskip("tensorflow_io")
    for _ in range(20):
        masked = pipeline.spec_augmented(tf.ones([frames, 8]), masks).numpy()
        assert masked.shape == (frames, 8)
        assert set(np.unique(masked)) <= {0.0, 1.0}


def test_a_task_is_checked():
    for wrong in ({"beam_width": 0}, {"speeds": ()}, {"speeds": (3.0,)}, {"max_seconds": 0.0}):
        with pytest.raises(ZooError, match=f"task.{next(iter(wrong))}"):
            SpeechCTC(**wrong)
