"""Results with one answer per input: those of `zoo.predict` and `zoo.score`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from zoo.api.display import MAX_ROWS, plural
from zoo.api.results import Result
from zoo.common.decoding.scores import total_perplexity


@dataclass(frozen=True, repr=False)
class Answers(Result, Sequence[dict[str, Any]]):
    """A sequence of answers, one dict per input, with the key `error` for an invalid input.

    Args:
        preset: name of the preset.
        answers: the answers.
    """

    preset: str
    answers: tuple[dict[str, Any], ...]

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[dict[str, Any]]: ...
    def __getitem__(self, index):
        return self.answers[index]

    def __len__(self) -> int:
        return len(self.answers)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.answers)

    def lines(self) -> list[str]:
        shown = [self.answer_line(answer) for answer in self.answers[:MAX_ROWS]]
        more = len(self.answers) - len(shown)
        return [
            f"{self.preset}: {plural(len(self.answers), 'answer')}",
            *shown,
            *([f"... {more} more"] * (more > 0)),
        ]

    def answer_line(self, answer: dict[str, Any]) -> str:
        """Return an answer as one line."""
        if "error" in answer:
            return f"{answer['input']}: error: {answer['error']}"
        return f"{answer['input']}: {self.summary(answer)}"

    def summary(self, answer: dict[str, Any]) -> str:
        """Return the answer to a valid input as text."""
        raise NotImplementedError

    def table(self) -> list[dict[str, Any]]:
        return list(self.answers)


class Predictions(Answers):
    """Result of `zoo.predict`: a sequence of answers `{"input", "output", ...}`."""

    @property
    def outputs(self) -> list[Any]:
        """The output of each answer; None for an invalid input."""
        return [answer.get("output") for answer in self.answers]

    def summary(self, answer: dict[str, Any]) -> str:
        return str(answer["output"])

    def to_dict(self) -> dict[str, Any]:
        return {"preset": self.preset, "predictions": list(self.answers)}

    def table(self) -> list[dict[str, Any]]:
        """Return one row per answer, or one per step of an answer that has `steps`, as a forecast."""
        rows: list[dict[str, Any]] = []
        for answer in self.answers:
            steps = answer.get("steps")
            many = steps if isinstance(steps, list) else [answer]
            rows += [{"input": answer["input"]} | row for row in many]
        return rows


class Scores(Answers):
    """Result of `zoo.score`: a sequence of `{"input", "log_probability", "tokens"}`."""

    @property
    def perplexity(self) -> float | None:
        """The perplexity per token of all texts; None if all are invalid."""
        return total_perplexity(self.answers)

    def summary(self, answer: dict[str, Any]) -> str:
        return f"{answer['log_probability']:.4f} nats, {len(answer['tokens'])} tokens"

    def to_dict(self) -> dict[str, Any]:
        return {"preset": self.preset, "scores": list(self.answers)}

    def table(self) -> list[dict[str, Any]]:
        """Return one row per token, or per invalid input."""
        rows: list[dict[str, Any]] = []
        for answer in self.answers:
            rest: dict[str, Any] = {key: answer[key] for key in ("input", "error") if key in answer}
            rows += [rest | token for token in answer.get("tokens", ())] or [rest]
        return rows
