"""A task with several metrics, one of which steers a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from zoo.common.core.errors import check_choice
from zoo.common.core.task import Task


@dataclass(frozen=True)
class SteeredTask(Task):
    """Subclasses name their metrics, and give `steer_by` a default and its description.

    steer_by: str. The metric that steers a run: one of `steering_metrics`.
    """

    steering_metrics: ClassVar[tuple[str, ...]]

    steer_by: str

    def __post_init__(self):
        check_choice("task.steer_by", self.steer_by, self.steering_metrics)

    @property
    def metric(self) -> str:
        """The metric that steers."""
        return self.steer_by
