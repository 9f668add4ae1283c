"""Video files with their classes, as a data kind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.data import Data, Item
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.predictor import Predictor
from zoo.common.data.manifests import digest, find_below
from zoo.common.runtime.keras_model import MODEL
from zoo.vision_language.motion.data import Clips
from zoo.vision_language.motion.moving_shapes import MOTIONS, draw_clip
from zoo.vision_language.motion.video_clip import VideoClip, read_clips
from zoo.vision_language.motion.video_files import SUFFIXES, read_video, sample_frames

# Total size of the decoded clips that are kept in memory between epochs.
CACHE_BYTES = 2**28


@dataclass(frozen=True)
class PictureChanges:
    """Random changes of a clip in training, the same in all frames.

    Args:
        shift: maximum shift in x and in y, as a fraction of the side. A shifted frame continues on
            the opposite side.
        contrast: maximum change of the contrast, as a natural logarithm.
        brightness: maximum change of each colour, where the range of a colour is 0 to 255.
    """

    shift: float = 0.5
    contrast: float = 0.3
    brightness: float = 25.0

    def __post_init__(self):
        check_range("data.changes.shift", self.shift, at_least=0, at_most=0.5)
        check_range("data.changes.contrast", self.contrast, at_least=0, at_most=2)
        check_range("data.changes.brightness", self.brightness, at_least=0, at_most=255)


@dataclass(frozen=True)
class Videos(Clips, Baselines):
    """Video files with one class each. See `Clips`.

    The input of the model is `images` float32 [batch, time, size, size, 3], RGB from 0 to 255, at
    evenly spaced times.

    Args:
        labels: the classes; if empty, `adapt` takes them from the examples.
        frame_rate: sampled frames per second, whatever the frame rate of the file.
        size: side of the square to which each frame is scaled.
        changes: random changes in training.
    """

    input_example: ClassVar[str] = "clip.mp4"

    frames: ClassVar[str] = "images"

    frame_rate: float = 8.0
    size: int = 32
    changes: PictureChanges = field(default_factory=PictureChanges)

    def __post_init__(self):
        super().__post_init__()
        check_range("data.frame_rate", self.frame_rate, at_least=0.1, at_most=60)
        check_range("data.size", self.size, at_least=8, at_most=512)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return (self.size, self.size, 3)

    # Reading

    def read_manifest(self, path: Path) -> list[VideoClip]:
        """Return the clips of JSON lines with `video` and `label`. See `read_clips`."""
        return read_clips(path)

    def group_of(self, example: VideoClip) -> str:
        """Return the group of a clip, or its id if it has no group."""
        return example.group or example.id

    def adapt(self, examples: list[VideoClip], model: Any) -> tuple[Data, Any]:
        data, model = super().adapt(examples, model)
        return data, replace(model, size=self.size)

    def checksum(self, examples: list[VideoClip]) -> str:
        return digest((e.id, e.label, e.path.stat().st_size) for e in examples)

    # Training

    def augment(self, frames: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        by = self.changes
        farthest = round(by.shift * self.size)
        move = generator.integers(-farthest, farthest + 1, 2)
        frames = np.roll(frames, move, axis=(1, 2))
        contrast = np.exp(by.contrast * generator.uniform(-1, 1))
        brightness = by.brightness * generator.uniform(-1, 1, 3)
        changed = (frames - 127.5) * contrast + 127.5 + brightness
        return np.clip(changed, 0, 255).astype(np.float32)

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.vision_language.motion.baselines import video_baselines

        return video_baselines(predictor, examples, seed)

    # Use

    def find_inputs(self, source: str) -> list[str]:
        return find_below(source, SUFFIXES, "videos")

    def read_input(self, source: Any, model: Any) -> Item:
        """Return the frames of a video file, or of an array.

        Args:
            source: path of a file, or (frames uint8 [time, height, width, 3], frames per second).
            model: config of the model.
        """
        if isinstance(source, str | Path):
            return _item(*read_video(Path(source), self.frame_rate, self.size))
        if not isinstance(source, tuple) or len(source) != 2:
            received = type(source).__name__
            raise ZooError(
                f"A video must be a path or (frames, frames per second). Received: {received}."
            )
        frames, rate = source
        return _item(*sample_frames(frames, rate, self.frame_rate, self.size))

    def read_example(self, example: VideoClip, model: Any) -> Item:
        return _item(*_cached(example.path, self.frame_rate, self.size))

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Any, path: Path
    ) -> None:
        """Draw several frames of the video, and the probabilities of classes over time."""
        from zoo.vision_language.motion.plots import picture_panel, plot_clip

        plot_clip(predictor, source, path, picture_panel)

    # Export

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return clips drawn by code, one by one and as one batch."""
        generator = np.random.default_rng(0)
        items = [{"images": self._drawn(motion, generator)} for motion in MOTIONS[3:6]]
        batches = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": batches, MODEL: batches}

    def _drawn(self, motion: str, generator: np.random.Generator) -> np.ndarray:
        """Return every second frame of a drawn clip, scaled by its nearest pixels."""
        frames, _ = draw_clip(motion, generator)
        nearest = np.arange(self.size) * frames.shape[1] // self.size
        return frames[::2, nearest][:, :, nearest].astype(np.float32)


def _item(frames: np.ndarray, times: np.ndarray) -> Item:
    return {"images": frames.astype(np.float32), "times": times}


_cache: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}


def _cached(path: Path, frame_rate: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the result of `read_video`, which is kept while the cache is not full."""
    key = path, path.stat().st_mtime_ns, frame_rate, size
    if key in _cache:
        return _cache[key]
    frames, times = read_video(path, frame_rate, size)
    if sum(held.nbytes for held, _ in _cache.values()) + frames.nbytes <= CACHE_BYTES:
        _cache[key] = frames, times
    return frames, times
