"""Decoders: the options that choose an answer from a model's outputs. Other modules implement them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoo.common.core.decoder import Decoder, option, resource
from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.settings import convert

SAMPLERS = ("greedy", "random", "top_k", "top_p")
SEARCHES = ("beam", "greedy")
# Division of logits by a lower temperature would overflow.
LEAST_TEMPERATURE = 1e-6
MAX_TEMPERATURE, MAX_LENGTH = 1e6, 1_000_000


def _warn_below() -> float:
    return option(
        0.0, "confidence below which an answer has a warning: the input is unlike the training data"
    )


@dataclass(frozen=True)
class CTCSearch(Decoder):
    """Search for labels in the frames of a CTC model. See `zoo.common.ctc.search`.

    With a language model or a lexicon, the search returns words: see `zoo.common.ctc.word_search`. A
    second language model can rescore the results: see `zoo.common.tasks.rescoring`.

    Args:
        beam_width: number of labellings that the prefix beam search keeps; 1 selects the best path. With
            1, a search for words keeps 100.
        n_best: number of labellings in an answer, the most probable first.
        times: whether the answer has the time of each word and its confidence.
        warn_below: confidence of an answer below which it has a warning. See
            `zoo.common.decoding.confidence`.
        lm_weight: weight of the log-probability of `lm`.
        word_bonus: score of each word in nats, with `lm`, `lexicon` or `rescore`.
        rescore_weight: weight of the log-probability of `rescore`.
        lm: ARPA file of a language model of words.
        lexicon: file of the words to search for.
        rescore: preset or run of a language model that reorders the `n_best` texts.
        hot_word: words with a boost of their score, each as "WORD:BOOST".
    """

    beam_width: int = option(
        1,
        "number of labellings the prefix beam search keeps; 1 selects the best path, and 100 with "
        "--lm or --lexicon",
    )
    n_best: int = option(
        1,
        "number of labellings in the answer, the most probable first; the beam is at least as wide",
    )
    times: bool = option(False, "add the time of each word in seconds and its confidence")
    warn_below: float = _warn_below()
    lm_weight: float = option(0.5, "weight of the log-probability of --lm")
    word_bonus: float = option(1.0, "score of each word in nats, with --lm, --lexicon or --rescore")
    rescore_weight: float = option(0.5, "weight of the log-probability of --rescore")
    lm: Path | None = resource("a language model of words, an ARPA file")
    lexicon: Path | None = resource("the words to search for, each with its symbols if necessary")
    rescore: str | None = resource(
        "a preset or run of a language model that reorders the --n-best texts"
    )
    hot_word: tuple[str, ...] | None = resource(
        "WORD:BOOST, a word and the boost of its score in nats; several may be given",
        names_file=False,
    )

    def __post_init__(self):
        _widen_beam(self, at_most=10_000)
        check_range("lm_weight", self.lm_weight, at_least=0, at_most=100)
        check_range("word_bonus", self.word_bonus, at_least=-100, at_most=100)
        check_range("warn_below", self.warn_below, at_least=0, at_most=1)
        check_range("rescore_weight", self.rescore_weight, at_least=0, at_most=100)
        if self.rescore and self.n_best == 1:
            raise ZooError("n_best must be at least 2 with rescore. Received: 1.")
        if self.boosts and not self.searches_words:
            raise ZooError("hot_word requires lm or lexicon.")

    @property
    def searches_words(self) -> bool:
        """Whether the search is limited to known words."""
        return self.lm is not None or self.lexicon is not None

    @property
    def boosts(self) -> dict[str, float]:
        """The boost of each hot word in nats.

        Raises:
            ZooError: a hot word is not of the form "WORD:BOOST".
        """
        boosts: dict[str, float] = {}
        for given in self.hot_word or ():
            word, _, boost = given.rpartition(":")
            if not word or word.split() != [word]:
                raise ZooError(f"hot_word must be one WORD:BOOST. Received: {given[:80]!r}.")
            boosts[word] = convert(boost, float, f"hot_word: the boost of {word[:80]!r}")
            check_range(
                f"hot_word: the boost of {word!r}", boosts[word], at_least=-100, at_most=100
            )
        return boosts


@dataclass(frozen=True)
class Classes(Decoder):
    """Select the most probable classes.

    Args:
        n_best: number of classes in an answer, the most probable first.
        min_confidence: minimum probability of a class in an answer.
    """

    n_best: int = option(1, "number of classes in the answer, the most probable first")
    min_confidence: float = option(
        0.0, "minimum probability of a class; below it, no class is given"
    )

    def __post_init__(self):
        check_range("n_best", self.n_best, at_least=1, at_most=1_000_000)
        check_range("min_confidence", self.min_confidence, at_least=0, at_most=1)


@dataclass(frozen=True)
class Sampling(Decoder):
    """Sample tokens from a distribution. See `zoo.common.decoding.generation`.

    Args:
        sampler: one of `SAMPLERS`.
        temperature: divisor of the logits. A lower temperature favours probable tokens.
        top_k: number of tokens that the sampler "top_k" draws from.
        top_p: total probability of the tokens that the sampler "top_p" draws from.
        seed: random seed.
    """

    sampler: str = option("top_p", f"how tokens are chosen: {', '.join(SAMPLERS)}")
    temperature: float = option(0.8, "divisor of the logits; lower favours probable tokens")
    top_k: int = option(10, "number of tokens the sampler top_k draws from")
    top_p: float = option(0.95, "total probability of the tokens the sampler top_p draws from")
    seed: int = option(0, "random seed of the sampler")

    def __post_init__(self):
        check_range(
            "temperature", self.temperature, at_least=LEAST_TEMPERATURE, at_most=MAX_TEMPERATURE
        )
        check_range("top_k", self.top_k, at_least=1, at_most=1_000_000)
        check_range("top_p", self.top_p, above=0, at_most=1)
        check_range("seed", self.seed, at_least=0, at_most=2**32 - 1)
        self.check_sampler()

    def check_sampler(self) -> None:
        """Check the name of the sampler.

        Raises:
            ZooError: the sampler is unknown.
        """
        check_choice("sampler", self.sampler, SAMPLERS)


@dataclass(frozen=True)
class Generation(Sampling):
    """Generate a text that continues a prompt.

    Args:
        length: number of tokens to generate.
        unknown: whether the unknown token may be generated.
    """

    length: int = option(100, "number of tokens to generate")
    unknown: bool = option(False, "whether the token of unknown words, <unk>, may be generated")

    def __post_init__(self):
        super().__post_init__()
        check_range("length", self.length, at_least=1, at_most=MAX_LENGTH)


@dataclass(frozen=True)
class SequenceSearch(Sampling):
    """Generate a sentence for an input, by beam search or by a sampler.

    Args:
        sampler: "beam" or one of `SAMPLERS`.
        temperature: divisor of the logits. A lower temperature favours probable tokens.
        max_length: maximum number of tokens, without the end token.
        beam_width: number of sentences that the beam search keeps; 1 is greedy.
        length_penalty: exponent of the length that divides a log-probability. 0 favours short
            sentences.
        n_best: number of sentences in the answer of a beam search, the best first.
        warn_below: confidence of an answer below which it has a warning. See
            `zoo.common.decoding.confidence`.
    """

    sampler: str = option("beam", f"how tokens are chosen: beam, {', '.join(SAMPLERS)}")
    temperature: float = option(1.0, "divisor of the logits; lower favours probable tokens")
    max_length: int = option(36, "maximum number of tokens, without the end token")
    beam_width: int = option(3, "number of sentences the beam search keeps; 1 is greedy")
    length_penalty: float = option(
        1.0, "exponent of the length that divides a log-probability; 0 favours short sentences"
    )
    n_best: int = option(
        1, "number of sentences of a beam search, the best first; the beam is at least as wide"
    )
    warn_below: float = _warn_below()

    def __post_init__(self):
        super().__post_init__()
        check_range("max_length", self.max_length, at_least=1, at_most=10_000)
        check_range("length_penalty", self.length_penalty, at_least=0, at_most=10)
        check_range("warn_below", self.warn_below, at_least=0, at_most=1)
        _widen_beam(self, at_most=1_000)

    def check_sampler(self) -> None:
        check_choice("sampler", self.sampler, dict.fromkeys((*SEARCHES, *SAMPLERS)))


@dataclass(frozen=True)
class Forecast(Decoder):
    """Set the length of a forecast and its intervals. See `zoo.common.metrics.intervals`.

    Args:
        horizon: number of steps to forecast.
        interval: probability of the prediction interval of each step; 0 for no interval.
    """

    horizon: int = option(1, "number of steps to forecast")
    interval: float = option(
        0.0, "probability of an interval around each step: 0.5, 0.8, 0.9 or 0.95; 0 for none"
    )

    def __post_init__(self):
        check_range("horizon", self.horizon, at_least=1, at_most=100_000)
        check_choice("interval", self.interval, (0.0, 0.5, 0.8, 0.9, 0.95))


def _widen_beam(decoder: CTCSearch | SequenceSearch, at_most: int) -> None:
    """Check the width of a beam, and make it at least the number of sequences in an answer."""
    check_range("beam_width", decoder.beam_width, at_least=1, at_most=at_most)
    check_range("n_best", decoder.n_best, at_least=1, at_most=at_most)
    object.__setattr__(decoder, "beam_width", max(decoder.beam_width, decoder.n_best))
