"""Test that decoders reject invalid options with an error that has the valid range."""

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.decoding.decoders import Classes, CTCSearch, Forecast, Generation, SequenceSearch


@pytest.mark.parametrize(
    ("decoder", "option", "value", "words"),
    [
        (CTCSearch, "beam_width", 100_000, "beam_width must be at least 1 and at most 10,000"),
        (CTCSearch, "lm_weight", 1e300, "lm_weight must be at least 0 and at most 100"),
        (CTCSearch, "word_bonus", float("nan"), "word_bonus must be at least -100"),
        (Generation, "length", 10**11, "length must be at least 1 and at most 1,000,000"),
        (Generation, "seed", -1, "seed must be at least 0"),
        (Generation, "seed", 10**40, "seed must be at least 0"),
        (Generation, "temperature", 1e-40, "temperature must be at least 1e-06"),
        (Generation, "top_p", 0, "top_p must be above 0 and at most 1"),
        (Generation, "top_k", 10**40, "top_k must be at least 1 and at most"),
        (SequenceSearch, "beam_width", 100_000, "beam_width must be at least 1 and at most 1,000"),
        (
            SequenceSearch,
            "length_penalty",
            1e300,
            "length_penalty must be at least 0 and at most 10",
        ),
        (SequenceSearch, "n_best", 4, "n_best must be at most beam_width, which is 3"),
        (SequenceSearch, "max_length", 10**9, "max_length must be at least 1 and at most 10,000"),
        (Classes, "n_best", 10**40, "n_best must be at least 1 and at most"),
        (Classes, "min_confidence", 1.5, "min_confidence must be at least 0 and at most 1"),
        (Forecast, "horizon", 10**30, "horizon must be at least 1 and at most 100,000"),
    ],
)
def test_invalid_options_raise_an_error_with_the_range(decoder, option, value, words):
    with pytest.raises(ZooError, match=words):
        decoder(**{option: value})
