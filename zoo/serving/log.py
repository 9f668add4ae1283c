"""Structured log lines on stderr: one JSON object per request or event, without contents."""

from __future__ import annotations

import datetime
import json
from typing import Any

from zoo.common.utils.progress import say


def log(event: str, **fields: Any) -> None:
    """Print a line with the time, the event and other fields. Fields that are None are left out.

    Args:
        event: such as "request" or "loaded".
        fields: JSON-ready values.
    """
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    given = {name: value for name, value in fields.items() if value is not None}
    say(json.dumps({"time": now, "event": event, **given}, ensure_ascii=False))
