"""Baselines of recognizers of English: PocketSphinx with the acoustic model of its package.

It was trained on much more speech than the corpora of the zoo. Only the language model is fitted.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx
from scipy.signal import resample_poly

from zoo.common.core.baseline import Baseline
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.common.ctc.one_hot import one_hot_outputs
from zoo.common.data.labels import Labels
from zoo.common.data.vocabulary import Vocabulary
from zoo.common.language_model.arpa import END_WORD, write_arpa
from zoo.common.language_model.ngram import count_ngrams
from zoo.common.runtime.keras_model import MODEL

SAMPLE_RATE = 16_000
# Length of the n-grams that are counted on the transcripts.
ORDER = 3
# Minimum share of the words of transcripts that are in the dictionary of the package.
MIN_KNOWN = 0.5
# The phoneme of silence in PocketSphinx.
SILENCE = "SIL"
# Options of PocketSphinx for phonemes, from its documentation.
PHONEME_OPTIONS = {"lw": 2.0, "beam": 1e-20, "pbeam": 1e-20}


def sphinx_baselines(predictor: Predictor[Any, Any, Any], examples: list[Any]) -> list[Baseline]:
    """Return PocketSphinx with two language models. See `Baselines.baselines`.

    If all labels are phonemes of its dictionary, it recognizes phonemes, else words.

    Raises:
        ZooError: most words of the transcripts are not in its dictionary.
    """
    folder = Path(pocketsphinx.get_model_path()) / "en-us"
    dictionary = (folder / "cmudict-en-us.dict").read_text(encoding="utf-8")
    entries = [line.split() for line in dictionary.splitlines()]
    symbols = set(predictor.data.labels.symbols)
    phonemes = symbols <= {phoneme for entry in entries for phoneme in entry[1:]}
    known = symbols if phonemes else {entry[0] for entry in entries}
    # The words of the dictionary are in lower case.
    transcripts = [e.transcript if phonemes else e.transcript.lower() for e in examples]
    texts = [transcript.split() for transcript in transcripts]
    all_words = [word for text in texts for word in text]
    count = sum(word in known for word in all_words)
    if count < MIN_KNOWN * len(all_words):
        raise ZooError(
            "A baseline of recognizers needs English transcripts: most words must be in the dictionary "
            f"of PocketSphinx. Received: {count} such words of {len(all_words)}."
        )
    unit = "phonemes" if phonemes else "words"
    options = dict(PHONEME_OPTIONS, lm=None) if phonemes else {}
    key = "allphone" if phonemes else "lm"
    packaged = folder / ("en-us-phone.lm.bin" if phonemes else "en-us.lm.bin")

    def fitted(lm: Path) -> Predictor[Any, Any, Any]:
        decoder = pocketsphinx.Decoder(loglevel="FATAL", **{**options, key: str(lm)})
        graph = partial(_recognize, decoder, predictor, phonemes)
        return replace(predictor, graphs=Graphs("pocketsphinx", {MODEL: graph}))

    def count_and_fit() -> Predictor[Any, Any, Any]:
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / "transcripts.arpa"
            # PocketSphinx requires silence in a language model of phonemes.
            silence = [SILENCE] if phonemes else []
            words = sorted(known.intersection(all_words))
            vocabulary = Vocabulary.of([words + silence], (END_WORD,))
            rows = [
                vocabulary.encode([*silence, *(w for w in text if w in known), *silence, END_WORD])
                for text in texts
            ]
            ngrams = count_ngrams(map(np.array, rows), ORDER, vocabulary.tokens)
            write_arpa(ngrams, path)
            return fitted(path)

    return [
        Baseline(f"PocketSphinx with its language model of {unit}", partial(fitted, packaged)),
        Baseline(f"PocketSphinx with {ORDER}-grams of the {unit} of transcripts", count_and_fit),
    ]


def _recognize(
    decoder: Any,
    predictor: Predictor[Any, Any, Any],
    phonemes: bool,
    waveform: np.ndarray,
    lengths: np.ndarray,
) -> dict[str, np.ndarray]:
    labels: Labels = predictor.data.labels
    rate = predictor.model.features.sample_rate
    rows = []
    for samples, length in zip(waveform, lengths, strict=True):
        resampled = resample_poly(samples[:length], SAMPLE_RATE, rate)
        pcm = np.clip(np.rint(resampled * 2**15), -(2**15), 2**15 - 1).astype("<i2")
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp().hypstr if decoder.hyp() else ""
        rows.append(_encode(found if phonemes else _in_case(found, labels), labels))
    return one_hot_outputs(rows, labels.size)


def _in_case(text: str, labels: Labels) -> str:
    """Return a text in upper case if labels are."""
    symbols = "".join(labels.symbols)
    return text.upper() if symbols == symbols.upper() else text


def _encode(text: str, labels: Labels) -> list[int]:
    """Return the labels of a text, without symbols that have no label, such as silence."""
    outside = set(labels.outside(text))
    symbols = list(text) if labels.unit == "character" else text.split()
    return labels.encode(labels.separator.join(s for s in symbols if s not in outside))
