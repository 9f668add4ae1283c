"""N-gram language models with interpolated modified Kneser-Ney smoothing, trained by counting.

Kneser & Ney, "Improved backing-off for m-gram language modeling" (1995); Chen & Goodman, "An empirical
study of smoothing techniques for language modeling" (1999).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.model import CountedModel, Function
from zoo.common.core.states import STEP, StateSpec, as_outputs
from zoo.common.language_model.arpa import read_arpa, write_arpa
from zoo.common.language_model.ngram import NGramModel, count_ngrams
from zoo.common.tasks.text_data import TextData
from zoo.common.utils.files import check_file
from zoo.language.tokenization import START_INDEX

if TYPE_CHECKING:
    from zoo.language.whole_texts import TokenizedText


@dataclass(frozen=True)
class NGramLanguageModel(CountedModel):
    """Arguments of the model.

    Args:
        vocabulary_size: number of tokens. The first, index 0, ends a line; n-grams do not cross it.
        order: number of tokens of the longest n-grams; all but the last are the history.
    """

    file: ClassVar[str] = "model.arpa.gz"

    vocabulary_size: int
    order: int = 5

    def __post_init__(self):
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=1)
        check_range("model.order", self.order, at_least=1, at_most=20)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The last `order - 1` tokens that the model read."""
        return (StateSpec("history", (self.order - 1,), "int32", initial=START_INDEX),)

    def build(self) -> NGramModel:
        raise ZooError("An n-gram model is not trained; run `zoo train language/kn5-ptb`.")

    def count(self, examples: list[TokenizedText], data: TextData) -> NGramModel:
        texts = (data.read_example(example, self)["tokens"][1:] for example in examples)
        return count_ngrams(texts, self.order, data.vocabulary.tokens)

    def save(self, model: NGramModel, path: Path) -> None:
        """Write a model as an ARPA file."""
        write_arpa(model, path)

    def load(self, path: Path) -> NGramModel:
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
        """Return the graph `step`.

        It maps `tokens` int32 [batch, time] and the history to `logits` float32 [batch, time,
        vocabulary_size], log-probabilities in nats, and the next history.
        """

        def step(tokens: np.ndarray, history: np.ndarray, **_: Any) -> dict[str, np.ndarray]:
            read = np.concatenate([history, tokens], axis=1)
            following = read[:, read.shape[1] - history.shape[1] :].astype(np.int32)
            return {
                "logits": model.log_probs(tokens, history),
                **as_outputs({"history": following}),
            }

        return {STEP: step}
