"""Video files with their classes, as a data kind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Data, Item, RawInput
from zoo.common.core.errors import check_range
from zoo.common.data.manifests import digest, find_below
from zoo.common.data.sequence_input import sequence_input
from zoo.common.runtime.keras_model import MODEL
from zoo.vision_language.motion.data import Clips
from zoo.vision_language.motion.moving_shapes import MOTIONS, draw_clip
from zoo.vision_language.motion.video_clip import VideoClip, read_clips
from zoo.vision_language.motion.video_files import SUFFIXES, read_video

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs, ModelConfig
    from zoo.common.core.recipe import Recipe

# Decoded clips stay in memory from epoch to epoch while they are not larger than this together.
CACHE_BYTES = 2**28


@dataclass(frozen=True)
class PictureChanges:
    """Random changes of a clip in training, the same in all of its frames.

    shift: float. The farthest move across and down, as a share of the side; what leaves the picture on
        one side comes in on the other.
    contrast: float. The largest change of the contrast, as a natural logarithm.
    brightness: float. The largest change of each colour, of 255.
    """

    shift: float = 0.5
    contrast: float = 0.3
    brightness: float = 25.0

    def __post_init__(self):
        check_range("data.changes.shift", self.shift, at_least=0, at_most=0.5)
        check_range("data.changes.contrast", self.contrast, at_least=0, at_most=2)
        check_range("data.changes.brightness", self.brightness, at_least=0, at_most=255)


@dataclass(frozen=True)
class Videos(Clips):
    """Video files, each with a class. See `Clips`.

    The model's input is `images` float32 [batch, time, size, size, 3], RGB from 0 to 255, at even times.

    frame_rate: float. Frames in a second that are taken, whatever the rate of the file.
    size: int. Side of the square that each frame is scaled to.
    changes: PictureChanges. Random changes in training.
    """

    input_example: ClassVar[str] = "clip.mp4"

    frames: ClassVar[str] = "images"

    frame_rate: float = 8.0
    size: int = 32
    changes: PictureChanges = field(default_factory=PictureChanges)

    def __post_init__(self):
        check_range("data.frame_rate", self.frame_rate, at_least=0.1, at_most=60)
        check_range("data.size", self.size, at_least=8, at_most=512)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """See `Clips.frame_shape`."""
        return (self.size, self.size, 3)

    # Reading --------------------------------------------------------------------------------------

    def read_manifest(self, path: Path) -> list[VideoClip]:
        """See `Data.read_manifest` and `read_clips`."""
        return read_clips(path)

    def group_of(self, example: VideoClip) -> str:
        """See `Clips.group_of`: what belongs together, or each clip by itself."""
        return example.group or example.id

    def adapt(self, examples: list[VideoClip], model: ModelConfig) -> tuple[Data, ModelConfig]:
        """See `Data.adapt`: the classes, and the size of a frame."""
        data, model = super().adapt(examples, model)
        return data, replace(model, size=self.size)

    def checksum(self, examples: list[VideoClip]) -> str:
        """See `Data.checksum`: of the classes and the sizes of the files."""
        return digest((e.id, e.transcript, e.path.stat().st_size) for e in examples)

    # Learning -------------------------------------------------------------------------------------

    def augment(self, frames: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """See `Clips.augment` and `PictureChanges`."""
        by = self.changes
        farthest = round(by.shift * self.size)
        move = generator.integers(-farthest, farthest + 1, 2)
        frames = np.roll(frames, move, axis=(1, 2))
        contrast = np.exp(by.contrast * generator.uniform(-1, 1))
        brightness = by.brightness * generator.uniform(-1, 1, 3)
        changed = (frames - 127.5) * contrast + 127.5 + brightness
        return np.clip(changed, 0, 255).astype(np.float32)

    # Use ------------------------------------------------------------------------------------------

    def find_inputs(self, source: str) -> list[str]:
        """See `Data.find_inputs`: video files."""
        return find_below(source, SUFFIXES, "videos")

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input` and `read_video`."""
        frames, times = read_video(Path(source), self.frame_rate, self.size)
        return {"images": frames.astype(np.float32), "times": times}

    def read_example(self, example: VideoClip, recipe: Recipe) -> Item:
        """See `Data.read_example`."""
        frames, times = _cached(example.path, self.frame_rate, self.size)
        return {"images": frames.astype(np.float32), "times": times}

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: frames of the video, above the answer over time."""
        from zoo.vision_language.motion.plots import picture_panel, plot_clip

        plot_clip(graphs, recipe, source, path, picture_panel)

    # Delivery -------------------------------------------------------------------------------------

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: frames with lengths, as the model takes them."""
        entry = sequence_input("images", self.frame_shape, "frames")
        return {"serving_default": entry}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: clips drawn by code, one by one and together."""
        generator = np.random.default_rng(0)
        items = [{"images": self._drawn(motion, generator)} for motion in MOTIONS[3:6]]
        batches = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": batches, MODEL: batches}

    def _drawn(self, motion: str, generator: np.random.Generator) -> np.ndarray:
        """Every second frame of a drawn clip, float32 [time, size, size, 3], by its nearest pixels."""
        frames, _ = draw_clip(motion, generator)
        nearest = np.arange(self.size) * frames.shape[1] // self.size
        return frames[::2, nearest][:, :, nearest].astype(np.float32)


_cache: dict[tuple, tuple[np.ndarray, np.ndarray]] = {}


def _cached(path: Path, frame_rate: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """As `read_video`, decoded once as long as there is room."""
    key = path, path.stat().st_mtime_ns, frame_rate, size
    if key in _cache:
        return _cache[key]
    frames, times = read_video(path, frame_rate, size)
    if sum(held.nbytes for held, _ in _cache.values()) + frames.nbytes <= CACHE_BYTES:
        _cache[key] = frames, times
    return frames, times
