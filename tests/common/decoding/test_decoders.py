"""Test that decoders accept the options in a range, and reject others with an error that has it."""

import dataclasses
from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.decoding.decoders import Classes, CTCSearch, Forecast, Generation, SequenceSearch

# Each option with its smallest and largest value, and the range in the error.
RANGES = [
    (CTCSearch, "beam_width", 1, 10_000, "at least 1 and at most 10,000"),
    (CTCSearch, "lm_weight", 0, 100, "at least 0 and at most 100"),
    (CTCSearch, "word_bonus", -100, 100, "at least -100 and at most 100"),
    (CTCSearch, "rescore_weight", 0, 100, "at least 0 and at most 100"),
    (Classes, "n_best", 1, 1_000_000, "at least 1 and at most 1,000,000"),
    (Classes, "min_confidence", 0, 1, "at least 0 and at most 1"),
    (Generation, "length", 1, 1_000_000, "at least 1 and at most 1,000,000"),
    (Generation, "seed", 0, 2**32 - 1, "at least 0 and at most 4,294,967,295"),
    (Generation, "temperature", 1e-6, 1e6, "at least 1e-06 and at most 1,000,000"),
    (Generation, "top_k", 1, 1_000_000, "at least 1 and at most 1,000,000"),
    (Generation, "top_p", 1e-9, 1, "above 0 and at most 1"),
    (SequenceSearch, "beam_width", 1, 1_000, "at least 1 and at most 1,000"),
    (SequenceSearch, "length_penalty", 0, 10, "at least 0 and at most 10"),
    (SequenceSearch, "max_length", 1, 10_000, "at least 1 and at most 10,000"),
    (SequenceSearch, "n_best", 1, 1_000, "at least 1 and at most 1,000"),
    (Forecast, "horizon", 1, 100_000, "at least 1 and at most 100,000"),
]


@pytest.mark.parametrize(("decoder", "option", "least", "most", "words"), RANGES)
def test_values_in_the_range_are_accepted(decoder, option, least, most, words):
    for value in (least, most):
        assert getattr(decoder(**{option: value}), option) == value


@pytest.mark.parametrize(("decoder", "option", "least", "most", "words"), RANGES)
def test_values_outside_the_range_are_rejected(decoder, option, least, most, words):
    above = most * 1.001 if isinstance(most, float) else most + 1
    for value in (above, 10**40):
        with pytest.raises(ZooError, match=f"{option} must be {words}"):
            decoder(**{option: value})
    below = 0 if least == 1e-9 else least - 1e-7 if isinstance(least, float) else least - 1
    with pytest.raises(ZooError, match=f"{option} must be (at least|above)"):
        decoder(**{option: below})


def test_numbers_must_be_finite():
    for value in (float("nan"), float("inf")):
        with pytest.raises(
            ZooError, match=f"word_bonus must be at least -100 .* Received: {value}"
        ):
            CTCSearch(word_bonus=value)


def test_defaults():
    """A CTC search selects the best path, and a beam search of sentences has three beams."""
    values = [dataclasses.asdict(d()) for d in (CTCSearch, Classes, Generation, Forecast)]
    search, classes, generation, forecast = values
    assert search == {
        "beam_width": 1,
        "n_best": 1,
        "times": False,
        "warn_below": 0,
        "lm_weight": 0.5,
        "word_bonus": 1.0,
        "rescore_weight": 0.5,
        **dict.fromkeys(("lm", "lexicon", "rescore", "hot_word")),
    }
    assert classes == {"n_best": 1, "min_confidence": 0}
    sampling = {"temperature": 0.8, "top_k": 10, "top_p": 0.95, "seed": 0}
    assert generation == {"sampler": "top_p", "length": 100, "unknown": False, **sampling}
    assert forecast == {"horizon": 1, "interval": 0}
    beams = SequenceSearch()
    assert (beams.sampler, beams.temperature, beams.max_length) == ("beam", 1, 36)
    assert (beams.beam_width, beams.length_penalty, beams.n_best) == (3, 1, 1)
    assert beams.warn_below == 0


@pytest.mark.parametrize("sampler", ["greedy", "random", "top_k", "top_p"])
def test_samplers(sampler):
    assert Generation(sampler=sampler).sampler == SequenceSearch(sampler=sampler).sampler == sampler


def test_unknown_samplers_and_intervals():
    with pytest.raises(ZooError, match=r"sampler must be one of .*Received: 'beam'"):
        Generation(sampler="beam")
    with pytest.raises(ZooError, match=r"sampler must be one of .*'beam', 'greedy', 'random'"):
        SequenceSearch(sampler="best")
    with pytest.raises(ZooError, match=r"interval must be one of .*0.95.*Received: 0.99"):
        Forecast(interval=0.99)
    for interval in (0.0, 0.5, 0.8, 0.9, 0.95):
        assert Forecast(interval=interval).interval == interval


def test_rescoring_requires_several_texts():
    with pytest.raises(ZooError, match=r"n_best must be at least 2 with rescore. Received: 1\."):
        CTCSearch(rescore="lm")
    assert CTCSearch(rescore="lm", n_best=2, beam_width=2).n_best == 2


def test_hot_words():
    search = CTCSearch(hot_word=("ZOO:2.5", "A:B:-100", "C:100"), lexicon=Path("words"))
    assert search.boosts == {"ZOO": 2.5, "A:B": -100, "C": 100}
    assert CTCSearch(lm=Path("a.arpa")).boosts == {}
    with pytest.raises(ZooError, match=r"hot_word requires lm or lexicon\."):
        CTCSearch(hot_word=("ZOO:2",))
    for given in ("ZOO", ":2", "A B:2", " A:2"):
        with pytest.raises(ZooError, match=r"hot_word must be one WORD:BOOST\. Received: "):
            CTCSearch(hot_word=(given,), lm=Path("a.arpa"))
    for boost in ("-101", "101", "x"):
        with pytest.raises(ZooError, match="hot_word: the boost of 'ZOO' must be"):
            CTCSearch(hot_word=(f"ZOO:{boost}",), lm=Path("a.arpa"))
    assert not CTCSearch().searches_words
    assert CTCSearch(lm=Path("a")).searches_words
