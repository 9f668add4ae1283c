"""Running text as data: long texts, read in parallel rows, with states carried between batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import RawInput, SuitedSettings
from zoo.common.core.data import Batches, Epoch, Item
from zoo.common.core.decoder import option
from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.core.states import STEP, initial_states
from zoo.common.data.manifests import read_file
from zoo.common.data.text import Line, normalize, read_text
from zoo.common.data.vocabulary import UNKNOWN, VOCABULARY_FILE, Vocabulary
from zoo.common.tasks.text_data import TextData
from zoo.language.modelling.batching import running_batches
from zoo.language.tokenization import END_OF_LINE, START_INDEX, TOKENIZATIONS
from zoo.language.whole_texts import TokenizedText, WholeTexts, take_vocabulary

# A text that is part of the package: the first lines of Tiny Shakespeare, in the public domain.
SAMPLE = Path(__file__).parents[1] / "samples" / "coriolanus.txt"
# Largest sizes, least dropout and batch size of models of words for texts of fewer tokens than `SMALL`.
# On 5,000 lines the dev perplexity of lstm-small-ptb after five epochs is 243 with them, 278 with its
# batches of 20, and 340 with its sizes too.
SMALL = 300_000
SMALL_BATCH = 10
SMALL_SIZES = {"layers": 1, "hidden_size": 100, "embedding_size": 100}
SMALL_DROPOUT = 0.4


@dataclass(frozen=True)
class RunningText(WholeTexts, TextData, SuitedSettings, Baselines):
    """Texts as tokens, each of which is predicted from all tokens before it.

    The inputs of a model are `tokens` int32 [batch, time] and its states. The targets of a batch are
    `targets` int32 [batch, time], the tokens that follow.

    Args:
        tokenization: "word", between white space, with `<eos>` at the end of a line; or "character".
        vocabulary: the tokens; if empty, those of the run's texts.
        min_count: rarer tokens of the run's texts are not in the vocabulary.
        time_steps: number of tokens through which gradients are propagated in training.
        column: column of tables and JSON lines that has the lines of the text; None for plain text.
    """

    input_example: ClassVar[str] = "he"
    carries_states: ClassVar[bool] = True
    baseline_packages: ClassVar[tuple[str, ...]] = ()
    baseline_limit: ClassVar[int] = 1_000_000

    tokenization: str = "word"
    vocabulary: Vocabulary = asset(Vocabulary, file=VOCABULARY_FILE)
    min_count: int = 1
    time_steps: int = 35
    column: str | None = option(None, "column of a table or JSON lines whose texts are the lines")

    def __post_init__(self):
        check_choice("data.tokenization", self.tokenization, TOKENIZATIONS)
        check_range("data.min_count", self.min_count, at_least=1)
        check_range("data.time_steps", self.time_steps, at_least=1)
        self.vocabulary.check_first([self.start])

    # Text and tokens

    @property
    def start(self) -> str:
        return TOKENIZATIONS[self.tokenization].start

    def join_tokens(self, tokens: Sequence[str]) -> str:
        return TOKENIZATIONS[self.tokenization].join(tokens)

    def continue_text(self, prompt: str, indices: Sequence[int]) -> str:
        return self.join_tokens([*self.split_tokens(prompt), *self.vocabulary.decode(indices)])

    def _encode(self, text: TokenizedText) -> np.ndarray:
        """Return int32 [tokens]. Raises `ZooError` for a token that has no index."""
        try:
            return np.array(self.vocabulary.encode(text.tokens), np.int32)
        except ZooError as error:
            raise ZooError(f"{text.id}: {error}") from None

    # Reading

    def num_windows(self, examples: list[TokenizedText], model: Any) -> int:
        """Return the number of windows of `time_steps` tokens."""
        return sum(len(text.tokens) // self.time_steps for text in examples)

    def take_windows(
        self, examples: list[TokenizedText], count: int, model: Any
    ) -> list[TokenizedText]:
        """Return the beginning of the first texts."""
        taken = []
        for text in examples:
            first = replace(text, tokens=text.tokens[: count * self.time_steps])
            windows = self.num_windows([first], model)
            if count and windows:
                taken.append(first)
                count -= windows
        return taken

    def suited_settings(self, examples: list[TokenizedText], model: Any) -> dict[str, Any]:
        """Return a smaller model for a small text of words, and a vocabulary with an unknown word.

        A word that occurs once is read as the unknown word, so that its probability is learned, unless
        the text has `<unk>` itself.
        """
        if self.tokenization != "word":
            return {}
        settings: dict[str, Any] = {}
        if not any(UNKNOWN in text.tokens for text in examples):
            settings["data.min_count"] = max(2, self.min_count)
        tokens = self.num_examples(examples)
        if tokens >= SMALL:
            return settings
        sizes = {key: min(size, getattr(model, key, size)) for key, size in SMALL_SIZES.items()}
        chosen = sizes | {"dropout": max(SMALL_DROPOUT, getattr(model, "dropout", 0))}
        settings |= {f"model.{k}": value for k, value in chosen.items() if hasattr(model, k)}
        # A text of a few words has rows only of fewer time steps. See `running_batches`.
        time_steps = min(self.time_steps, max(1, tokens // 3))
        rows = min(SMALL_BATCH, max(1, tokens // time_steps - 1))
        return settings | {"data.time_steps": time_steps, "training.batch_size": rows}

    def vocabulary_examples(
        self, train: list[TokenizedText], dev: list[TokenizedText]
    ) -> list[TokenizedText]:
        """Return train if rare words are unknown: words that only dev has are not learned; else all."""
        return train if self.min_count > 1 else [*train, *dev]

    def adapt(self, examples: list[TokenizedText], model: Any) -> tuple[RunningText, ModelConfig]:
        """Return the data with the vocabulary of the texts, and the model with its size."""
        return take_vocabulary(self, examples, model, TOKENIZATIONS[self.tokenization].specials)

    def filter_examples(
        self, examples: list[TokenizedText], model: Any
    ) -> tuple[list[TokenizedText], dict[str, int]]:
        """Return all texts. Raises `ZooError` for a token that has no index."""
        for text in examples:
            self._encode(text)
        return examples, {}

    # Training

    def batches(
        self, examples: list[TokenizedText], model: Any, network: Any, epoch: Epoch
    ) -> Batches:
        """Return `running_batches` of all texts, one after another."""
        return running_batches(
            np.concatenate([self._encode(text) for text in examples]),
            epoch.batch_size,
            self.time_steps,
            epoch.generator(),
        )

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.language.modelling.baselines import text_baselines

        return text_baselines(predictor, examples)

    # Use

    def read_input(self, source: str, model: Any) -> Item:
        """Return `tokens` int32 [1 + tokens], beginning with `start`; the `text` in NFC; and `unknown`.

        `unknown` is the number of tokens that are not in the vocabulary.

        Raises:
            ZooError: the text has no token, is not valid Unicode, or has, apart from ends of lines, no
                token in the vocabulary.
        """
        text = read_text(source)
        tokens = self.split_tokens(text)
        if set(tokens) <= {END_OF_LINE}:
            raise ZooError("The text is empty.")
        unknown = self._count_unknown(tokens)
        if unknown and unknown + tokens.count(self.start) == len(tokens):
            raise ZooError(
                f"No {self.tokenization} of the text is in the vocabulary of {len(self.vocabulary)} "
                f"{self.tokenization}s. Received: {source[:80]!r}."
            )
        return self._item(text, tokens)

    def read_line(self, line: Line) -> Item:
        text = normalize(line)
        return self._item(text, self.split_tokens(f"{text}\n"))

    def _item(self, text: str, tokens: Sequence[str]) -> Item:
        indices = np.array([START_INDEX, *self.vocabulary.encode(tokens)], np.int32)
        return {"tokens": indices, "text": text, "unknown": self._count_unknown(tokens)}

    def _count_unknown(self, tokens: Sequence[str]) -> int:
        return sum(token not in self.vocabulary or token == UNKNOWN for token in tokens)

    def read_example(self, example: TokenizedText, model: Any) -> Item:
        """Return `tokens` int32 [1 + tokens], beginning with `start`."""
        return {"tokens": np.concatenate([[START_INDEX], self._encode(example)]).astype(np.int32)}

    # Export

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the tokens, the tokenization, and the index that precedes a text."""
        metadata = {"tokenization": self.tokenization, "start": START_INDEX}
        return self.vocabulary.export_metadata() | metadata

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return the raw inputs of `serving_default`, prompts to continue, and `score`, texts."""
        from zoo.language.modelling.signatures import raw_inputs

        return raw_inputs(self.vocabulary, self.tokenization)

    def continue_text_in_graph(self, prompt: Any, indices: Any) -> Any:
        from zoo.language.modelling.signatures import continue_text

        return continue_text(self.vocabulary, self.tokenization, prompt, indices)

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return parts of a text that is part of the package."""
        known = [t for t in self.split_tokens(read_file(SAMPLE)) if t in self.vocabulary]
        tokens = self.split_tokens(self.join_tokens(known).strip())
        indices = np.array(self.vocabulary.encode(tokens), np.int32)

        def step(rows: int, time_steps: int) -> dict[str, Any]:
            block = indices[: rows * time_steps].reshape(rows, time_steps)
            return {"tokens": block, **initial_states(model.states, rows)}

        prompts = [self.join_tokens(tokens[:count]).strip() for count in (6, 12, 20)]

        def serve(rows: int) -> dict[str, Any]:
            options = {"length": [20] * rows, "temperature": [0.0] * rows, "seed": [0] * rows}
            return {"prompt": prompts[:rows], **options}

        return {
            STEP: [step(1, 1), step(1, 40), step(3, 1), step(4, 25)],
            "serving_default": [serve(1), serve(3)],
            "score": [{"text": prompts[:1]}, {"text": prompts}],
        }
