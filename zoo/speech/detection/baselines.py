"""Baselines of labelled sounds: SVMs of statistics of cepstral coefficients (MFCC) in three segments."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np
from scipy.fft import dct
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from zoo.common.core.baseline import Baseline
from zoo.common.tasks.class_baselines import Features, class_baselines
from zoo.common.tasks.classification import Classifier
from zoo.speech.features.frontend import LogMel

COEFFICIENTS = 20
SEGMENTS = 3
STRENGTHS = (1.0, 3.0, 10.0, 30.0)


def waveform_baselines(predictor: Classifier, examples: list[Any], seed: int) -> list[Baseline]:
    """Return SVMs for models with the input `waveform`. See `Baselines.baselines`."""
    config: Any = predictor.model
    return _baselines(predictor, examples, seed, partial(of_waveforms, config.features.spectrogram))


def spectrogram_baselines(predictor: Classifier, examples: list[Any], seed: int) -> list[Baseline]:
    """Return SVMs for models with the input `spectrogram`. See `Baselines.baselines`."""
    return _baselines(predictor, examples, seed, of_spectrograms)


def _baselines(
    predictor: Classifier, examples: list[Any], seed: int, features: Features
) -> list[Baseline]:
    estimators = {
        f"RBF SVM (C={c:g}) on MFCC statistics of {SEGMENTS} segments": make_pipeline(
            StandardScaler(), SVC(C=c, random_state=seed)
        )
        for c in STRENGTHS
    }
    return class_baselines(predictor, examples, features, estimators)


def of_waveforms(features: LogMel, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return `segment_statistics` of log-mel spectrograms.

    Args:
        features: the analysis frames and the mel filters; `normalization` is not used.
        inputs: `waveform` float32 [batch, samples] and `lengths` int32 [batch].
    """
    window, hop = features.window_samples, features.hop_samples
    rows = []
    for waveform, length in zip(inputs["waveform"], inputs["lengths"], strict=True):
        samples = np.pad(waveform[:length], (0, max(0, window - length)))
        frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
        power = np.abs(np.fft.rfft(frames * features.hann(), features.fft_length)) ** 2
        rows.append(segment_statistics(np.log(power @ features.mel_matrix() + 1e-6)))
    return np.array(rows)


def of_spectrograms(inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return `segment_statistics` of spectrograms.

    Args:
        inputs: `spectrogram` float32 [batch, frames, bands] and `lengths` int32 [batch].
    """
    pairs = zip(inputs["spectrogram"], inputs["lengths"], strict=True)
    return np.array([segment_statistics(frames[:length]) for frames, length in pairs])


def segment_statistics(bands: np.ndarray) -> np.ndarray:
    """Return mean and deviation of each cepstral coefficient in each segment of a sound.

    Args:
        bands: float [frames, bands], logarithms.

    Returns:
        float64 [segments * 2 * coefficients].
    """
    cepstrum = dct(bands, norm="ortho")[:, :COEFFICIENTS]
    edges = np.linspace(0, len(cepstrum), SEGMENTS + 1).astype(int)
    # A sound with fewer frames than segments has overlapping segments.
    parts = [
        cepstrum[min(begin, len(cepstrum) - 1) : max(end, begin + 1)]
        for begin, end in itertools.pairwise(edges)
    ]
    return np.concatenate([f(part, axis=0) for part in parts for f in (np.mean, np.std)])
