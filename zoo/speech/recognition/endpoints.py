"""Events of a stream, and endpoints: the rules that end one utterance and begin the next."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.common.core.errors import check_range

# Kinds of events.
PARTIAL, FINAL = "partial", "final"
MAX_SECONDS = 3600.0


@dataclass(frozen=True)
class Endpoints:
    """Decide from the labels so far whether an utterance has ended.

    Silence is the time since the last label of the most probable path, without the time that the model
    waits. The rules are those of sherpa-onnx and of Kaldi's online decoder.

    Args:
        silence: seconds of silence that end an utterance with text.
        silence_without_text: seconds of silence after which the samples without text are discarded.
        longest: seconds after which an utterance ends at the next silence of half of `silence`, or at
            once after twice this time.
    """

    silence: float = 1.2
    silence_without_text: float = 2.4
    longest: float = 20.0

    def __post_init__(self):
        for name in ("silence", "silence_without_text", "longest"):
            check_range(name, getattr(self, name), above=0, at_most=MAX_SECONDS)

    def reached(self, seconds: float, silence: float, has_text: bool) -> bool:
        """Return whether an utterance ends.

        Args:
            seconds: its duration so far.
            silence: the time since its last label.
            has_text: whether it has a label.
        """
        if not has_text:
            return silence >= self.silence_without_text
        limit = self.silence if seconds < self.longest else self.silence / 2
        return silence >= limit or seconds >= 2 * self.longest


DEFAULT_ENDPOINTS = Endpoints()
