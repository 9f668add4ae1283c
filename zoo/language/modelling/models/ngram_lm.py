"""N-gram language models with interpolated modified Kneser-Ney smoothing: counted, without gradients.

Kneser & Ney, "Improved backing-off for m-gram language modeling" (1995); Chen & Goodman, "An empirical
study of smoothing techniques for language modeling" (1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.model import Function, ModelConfig
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.states import StateSpec, as_outputs
from zoo.common.decoding.decoders import Generation
from zoo.common.language_model.arpa import read_arpa, write_arpa
from zoo.common.language_model.ngram import NGramModel, count_ngrams
from zoo.common.tasks.language_modelling import STEP, LanguageModelling
from zoo.common.training.trainers import Counting
from zoo.common.utils.files import check_file
from zoo.language.modelling.corpora.ptb import PTB
from zoo.language.modelling.data import RunningText
from zoo.language.tokenization import START_INDEX

if TYPE_CHECKING:
    from zoo.language.whole_texts import TokenizedText

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NGramLanguageModel(ModelConfig):
    """Arguments of the model.

    vocabulary_size: int. Tokens it reads and predicts. The first, index 0, ends a line, and where it is
        read a new line begins: no n-gram goes across it.
    order: int. The tokens of the longest n-grams: all but one of them are the history.
    """

    file: ClassVar[str] = "model.arpa.gz"

    vocabulary_size: int
    order: int = 5

    def __post_init__(self):
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=1)
        check_range("model.order", self.order, at_least=1, at_most=20)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The tokens read last."""
        return (StateSpec("history", (self.order - 1,), "int32", initial=START_INDEX),)

    def build(self) -> NGramModel:
        """See `ModelConfig.build`."""
        raise ZooError("An n-gram model is nothing before it is counted.")

    def count(self, examples: list[TokenizedText], recipe: Recipe) -> NGramModel:
        """Return the model of a recipe's training examples."""
        texts = (recipe.data.read_example(example, recipe)["tokens"][1:] for example in examples)
        return count_ngrams(texts, self.order, recipe.data.vocabulary.tokens)

    def save(self, model: NGramModel, path: Path) -> None:
        """See `ModelConfig.save`: as an ARPA file."""
        write_arpa(model, path)

    def load(self, path: Path) -> NGramModel:
        """See `ModelConfig.load`."""
        check_file(path)
        model = read_arpa(path)
        if (len(model.words), model.order) != (self.vocabulary_size, self.order):
            raise ZooError(
                f"{path} does not fit the recipe and its assets: it must have {self.vocabulary_size} "
                f"words and order {self.order}. Received: {len(model.words)} words, order "
                f"{model.order}."
            )
        return model

    def functions(self, model: NGramModel) -> dict[str, Function]:
        """See `ModelConfig.functions`: `step`, from `tokens` int32 [batch, time] and the history to
        `logits` float32 [batch, time, vocabulary_size], log-probabilities in nats, and the next one."""

        def step(tokens: np.ndarray, history: np.ndarray, **_: Any) -> dict[str, np.ndarray]:
            read = np.concatenate([history, tokens], axis=1)
            following = read[:, read.shape[1] - history.shape[1] :].astype(np.int32)
            return {
                "logits": model.log_probs(tokens, history),
                **as_outputs({"history": following}),
            }

        return {STEP: step}


# Recipes ------------------------------------------------------------------------------------------


@register(
    "language/kn5-ptb",
    paper="Kneser & Ney 1995; Chen & Goodman 1999",
    corpus=PTB,
    metric="perplexity",
    shipped=False,
)
def kn5_ptb(name: str) -> Recipe:
    """Counts of up to five words, smoothed, predict the next word of newspaper English.

    The classical baseline of language modelling: interpolated modified Kneser-Ney 5-grams, as SRILM's
    `-order 5 -kndiscount -interpolate` without cutoffs. It is counted in seconds. Its file is in the
    ARPA format, which speech decoders and KenLM read.

    It sees four words of history and none beyond the line. The vocabulary is the 10,000 words of the
    Penn Treebank; every other word is `<unk>`. Perplexity counts every word and every line's end.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="word"),
        model=NGramLanguageModel(vocabulary_size=10_000, order=5),
        task=LanguageModelling(metric="perplexity"),
        decoder=Generation(length=50),
        training=Counting(),
    )
