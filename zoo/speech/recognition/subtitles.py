"""Write transcripts as subtitles: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from zoo.common.core.formats import Format

# Maximum number of characters in a line, and of lines in a subtitle.
MAX_CHARACTERS, MAX_LINES = 42, 2
# Maximum and minimum duration of a subtitle in seconds. A following subtitle shortens the minimum.
MAX_SECONDS, MIN_SECONDS = 7.0, 1.0
# A pause of this duration in seconds begins a new subtitle.
PAUSE = 0.8

# Begin and end in seconds, and text.
Cue = tuple[float, float, str]


def subtitle_formats() -> dict[str, Format]:
    """Return the formats of a recognizer of speech with times of words."""
    return {
        "srt": Format(".srt", _srt, joins=False, options={"times": True}),
        "vtt": Format(".vtt", _vtt, joins=False, options={"times": True}),
    }


def cues(words: list[dict[str, Any]]) -> list[Cue]:
    """Return words as subtitles in order, without overlap.

    Args:
        words: `word`, `begin` and `end` in seconds of each word, in order.
    """
    groups: list[list[dict[str, Any]]] = []
    for word in words:
        group = groups[-1] if groups else None
        if group and _fits([*group, word]) and word["begin"] - group[-1]["end"] < PAUSE:
            group.append(word)
        else:
            groups.append([word])
    found: list[Cue] = []
    for i, group in enumerate(groups):
        begin = group[0]["begin"]
        following = groups[i + 1][0]["begin"] if i + 1 < len(groups) else float("inf")
        end = max(group[-1]["end"], min(begin + MIN_SECONDS, following))
        found.append((begin, end, "\n".join(_wrapped(group))))
    return found


def _fits(words: list[dict[str, Any]]) -> bool:
    long = words[-1]["end"] - words[0]["begin"] > MAX_SECONDS
    return not long and len(_wrapped(words)) <= MAX_LINES


def _wrapped(words: list[dict[str, Any]]) -> list[str]:
    text = " ".join(word["word"] for word in words)
    return textwrap.wrap(text, MAX_CHARACTERS, break_on_hyphens=False)


def _srt(answers: Iterable[dict[str, Any]]) -> Iterator[str]:
    for answer in answers:
        for number, (begin, end, text) in enumerate(cues(answer.get("words", [])), start=1):
            yield f"{number}\n{_time(begin, ',')} --> {_time(end, ',')}\n{text}\n"


def _vtt(answers: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield "WEBVTT\n"
    for answer in answers:
        for begin, end, text in cues(answer.get("words", [])):
            yield f"{_time(begin, '.')} --> {_time(end, '.')}\n{_escaped(text)}\n"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float, point: str) -> str:
    """Return seconds in the form 00:00:00,000."""
    milliseconds = round(1000 * seconds)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"
