"""Subtitles of what was recognised: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from zoo.common.core.formats import Format

# A subtitle has at most two lines of so many characters, and stands so many seconds at most.
LINE, LINES = 42, 2
LONGEST = 7.0
# A pause of so many seconds begins a new one; one of a short word stands at least so long.
PAUSE, SHORTEST = 0.8, 1.0

Cue = tuple[float, float, str]


def subtitle_formats() -> dict[str, Format]:
    """Return the formats of a recogniser that knows when each word was said."""
    return {
        "srt": Format(".srt", _srt, joins=False, options={"times": True}),
        "vtt": Format(".vtt", _vtt, joins=False, options={"times": True}),
    }


def cues(words: list[dict[str, Any]]) -> list[Cue]:
    """Return words as subtitles: (begin, end, text), in order, which do not overlap.

    Args:
        words: each `word` with its `begin` and `end` in seconds, in order.
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
        end = max(group[-1]["end"], min(begin + SHORTEST, following))
        found.append((begin, end, "\n".join(_wrapped(group))))
    return found


def _fits(words: list[dict[str, Any]]) -> bool:
    long = words[-1]["end"] - words[0]["begin"] > LONGEST
    return not long and len(_wrapped(words)) <= LINES


def _wrapped(words: list[dict[str, Any]]) -> list[str]:
    return textwrap.wrap(" ".join(word["word"] for word in words), LINE, break_on_hyphens=False)


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
    """Seconds as 00:00:00,000."""
    milliseconds = round(1000 * seconds)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"
