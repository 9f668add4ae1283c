"""The decoders a recipe chooses from: how an answer is chosen. The work is done by other modules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from zoo.common.core.decoder import Decoder, option, resource
from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.recipe import convert

SAMPLERS = ("greedy", "random", "top_k", "top_p")
SEARCHES = ("beam", "greedy")
# Logits divided by less would be no finite numbers.
LEAST_TEMPERATURE = 1e-6
MAX_TEMPERATURE, MAX_LENGTH = 1e6, 1_000_000


@dataclass(frozen=True)
class CTCSearch(Decoder):
    """Labels out of the frames of a CTC model. See `zoo.common.ctc.search`.

    With a language model or a lexicon it looks for words: see `zoo.common.ctc.word_search`. What was
    found can be rescored by another language model: see `zoo.common.tasks.rescoring`.
    """

    beam_width: int = option(1, "labellings the prefix beam search keeps; 1 takes the best path")
    n_best: int = option(1, "how many labellings are given, the likeliest first")
    times: bool = option(False, "when each word was said, in seconds, and how sure that is")
    lm_weight: float = option(0.5, "what the log-probability by --lm is multiplied by")
    word_bonus: float = option(
        1.0, "what each word adds to a score, in nats, with --lm, --lexicon or --rescore"
    )
    rescore_weight: float = option(0.5, "what the log-probability by --rescore is multiplied by")
    lm: Path | None = resource("a language model of words, an ARPA file")
    lexicon: Path | None = resource("the words to look for, each with its symbols if need be")
    rescore: str | None = resource(
        "a preset or run of a language model, which puts the --n-best texts in a new order"
    )
    hot_word: tuple[str, ...] | None = resource(
        "WORD:BOOST, a word and what it adds to a score, in nats; several may be given"
    )

    def __post_init__(self):
        check_range("beam_width", self.beam_width, at_least=1, at_most=10_000)
        _check_n_best(self.n_best, self.beam_width)
        check_range("lm_weight", self.lm_weight, at_least=0, at_most=100)
        check_range("word_bonus", self.word_bonus, at_least=-100, at_most=100)
        check_range("rescore_weight", self.rescore_weight, at_least=0, at_most=100)
        if self.rescore and self.n_best == 1:
            raise ZooError("rescore goes with an n_best of 2 or more: the texts that it orders.")
        if self.boosts and not self.searches_words:
            raise ZooError("hot_word goes with lm or lexicon: a search for words.")

    @property
    def searches_words(self) -> bool:
        """Whether what is found is words that are known."""
        return self.lm is not None or self.lexicon is not None

    @property
    def boosts(self) -> dict[str, float]:
        """What each hot word adds to a score, in nats. Raises `ZooError`."""
        boosts = {}
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
    """The likeliest classes."""

    n_best: int = option(1, "how many classes are given, the likeliest first")
    min_confidence: float = option(0.0, "below this probability the answer is none of the classes")

    def __post_init__(self):
        check_range("n_best", self.n_best, at_least=1, at_most=1_000_000)
        check_range("min_confidence", self.min_confidence, at_least=0, at_most=1)


@dataclass(frozen=True)
class Sampling(Decoder):
    """How a token is taken from a distribution. See `zoo.common.decoding.generation`."""

    sampler: str = option("top_p", f"how tokens are chosen: {', '.join(SAMPLERS)}")
    temperature: float = option(0.8, "divides the logits before a draw: lower is likelier")
    top_k: int = option(10, "how many tokens the sampler top_k draws from")
    top_p: float = option(0.95, "the probability the tokens that top_p draws from have together")
    seed: int = option(0, "fixes the draws")

    def __post_init__(self):
        check_range(
            "temperature", self.temperature, at_least=LEAST_TEMPERATURE, at_most=MAX_TEMPERATURE
        )
        check_range("top_k", self.top_k, at_least=1, at_most=1_000_000)
        check_range("top_p", self.top_p, above=0, at_most=1)
        check_range("seed", self.seed, at_least=0, at_most=2**32 - 1)
        self.check_sampler()

    def check_sampler(self) -> None:
        """Check the name of the sampler. Raises `ZooError`."""
        check_choice("sampler", self.sampler, SAMPLERS)


@dataclass(frozen=True)
class Generation(Sampling):
    """A text that goes on from a prompt."""

    length: int = option(100, "tokens that are written")

    def __post_init__(self):
        super().__post_init__()
        check_range("length", self.length, at_least=1, at_most=MAX_LENGTH)


@dataclass(frozen=True)
class SequenceSearch(Sampling):
    """A sentence about an input, from its start to its end: searched for, or drawn."""

    sampler: str = option("beam", f"how tokens are chosen: beam, {', '.join(SAMPLERS)}")
    temperature: float = option(1.0, "divides the logits before a draw: lower is likelier")
    max_length: int = option(36, "the most tokens of a sentence, its end not counted")
    beam_width: int = option(3, "sentences the beam search keeps; 1 is greedy")
    length_penalty: float = option(
        1.0, "the power of the length a log-probability is divided by; 0 favours short sentences"
    )
    n_best: int = option(1, "how many sentences a beam search gives, the best first")

    def __post_init__(self):
        super().__post_init__()
        check_range("max_length", self.max_length, at_least=1, at_most=10_000)
        check_range("beam_width", self.beam_width, at_least=1, at_most=1_000)
        check_range("length_penalty", self.length_penalty, at_least=0, at_most=10)
        _check_n_best(self.n_best, self.beam_width)

    def check_sampler(self) -> None:
        """See `Sampling.check_sampler`."""
        check_choice("sampler", self.sampler, dict.fromkeys((*SEARCHES, *SAMPLERS)))


@dataclass(frozen=True)
class Forecast(Decoder):
    """How far a forecast goes, and how sure it is. See `zoo.common.metrics.intervals`."""

    horizon: int = option(1, "steps ahead")
    interval: float = option(
        0.0, "probability of an interval around each step: 0.5, 0.8, 0.9 or 0.95; 0 for none"
    )

    def __post_init__(self):
        check_range("horizon", self.horizon, at_least=1, at_most=100_000)
        check_choice("interval", self.interval, (0.0, 0.5, 0.8, 0.9, 0.95))


def _check_n_best(n_best: int, beam_width: int) -> None:
    check_range("n_best", n_best, at_least=1)
    if n_best > beam_width:
        raise ZooError(
            f"n_best must be at most beam_width, which is {beam_width}. Received: {n_best}."
        )
