"""Events of a stream, and endpoints: the rules that end one utterance and begin the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from zoo.common.core.errors import ZooError, check_range, nearest
from zoo.common.core.settings import convert

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


def read_endpoints(rules: Endpoints | Mapping[str, float] | None) -> Endpoints | None:
    """Return the rules that a client has sent.

    Args:
        rules: `Endpoints`; a mapping with some of their arguments; or None for no endpoints.

    Raises:
        ZooError: it is none of these, or a rule is unknown or out of range.
    """
    if rules is None or isinstance(rules, Endpoints):
        return rules
    if not isinstance(rules, Mapping):
        raise ZooError(f"endpoints must be an object or null. Received: {str(rules)[:40]!r}.")
    names = [field.name for field in fields(Endpoints)]
    for name in rules:
        if name not in names:
            raise ZooError(f"endpoints has no rule {str(name)[:40]!r}. {nearest(str(name), names)}")
    return Endpoints(
        **{name: convert(value, float, f"endpoints: {name}") for name, value in rules.items()}
    )
