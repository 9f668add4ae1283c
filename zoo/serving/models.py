"""The models of a server: their names, their versions, and the search for new versions."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from zoo.common.core.errors import ZooError, nearest
from zoo.common.runtime.onnx import set_threads
from zoo.serving.errors import not_found
from zoo.serving.log import log
from zoo.serving.queues import Queue
from zoo.serving.settings import Settings
from zoo.serving.versions import Place, Version, find_places, load_version

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")


@dataclass
class Model:
    """A served model.

    Args:
        name: its name in addresses.
        preset: the preset or folder, as it was given.
        queue: runs its requests.
        versions: the loaded versions by number.
        errors: why versions are not available or not renewed, by number, None for the whole folder.
    """

    name: str
    preset: str
    queue: Queue
    versions: dict[int, Version] = field(default_factory=dict)
    errors: dict[int | None, str] = field(default_factory=dict)
    # By version: the state of its folder at the last search, and at its last load or refusal.
    seen: dict[int, Any] = field(default_factory=dict)
    tried: dict[int, Any] = field(default_factory=dict)

    def version(self, number: int | None = None) -> Version:
        """Return a version; None for the one with the highest number.

        Raises:
            RequestError: it is not loaded.
        """
        loaded = self.versions
        if number is None and loaded:
            return loaded[max(loaded)]
        if number not in loaded:
            valid = ", ".join(map(str, sorted(loaded))) or "none"
            raise not_found(f"{self.name} has no version {number}. Loaded: {valid}.")
        return loaded[number]


class Models:
    """The models of a server by name.

    Args:
        settings: the settings of the server.

    Raises:
        ZooError: a preset or an option is unknown, two models have one name, or no version of a model
            can be loaded.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self._models: dict[str, Model] = {}
        self._lock = threading.Lock()  # of loading
        set_threads(settings.threads)
        for given in settings.presets:
            model = self._model(given)
            self._models[model.name] = model
        for name in settings.options:
            self[name]
        for model in self:
            self._load(model, at_start=True)

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def __getitem__(self, name: str) -> Model:
        """Return a model by its name, or by the preset that was given.

        Raises:
            RequestError: there is no such model.
        """
        for model in self:
            if name in (model.name, model.preset):
                return model
        raise not_found(f"There is no model {name[:80]!r}. {nearest(name[:80], self._models)}")

    def _model(self, given: str) -> Model:
        name, equals, preset = given.partition("=")
        if not equals:
            name, preset = PurePath(given).name, given
        if not NAME.fullmatch(name):
            raise ZooError(
                f"The name of a model must have letters, digits, '-', '_' and '.' only. Received: "
                f"{name!r}. Give another one: NAME={preset}."
            )
        if name in self._models:
            raise ZooError(f"Two models are called {name!r}. Rename one: OTHER={preset}.")
        limits = self._settings.limits
        queue = Queue(name, self._settings.batch_size, limits.queue, limits.seconds)
        return Model(name, preset, queue)

    def _load(self, model: Model, at_start: bool = False) -> None:
        """Load new and changed versions of a model, and drop those whose folder is gone.

        A version is loaded when two searches in a row find its folder unchanged. If it cannot be loaded,
        the error is reported, and a version of this number that is loaded stays.
        """
        try:
            places = find_places(model.preset, self._settings.backend)
        except ZooError as error:
            if at_start:
                raise
            self._report(model, None, str(error), str(error).replace(model.preset, model.name))
            return
        for number, place in sorted(places.items()):
            fingerprint = place.fingerprint()
            is_still, model.seen[number] = model.seen.get(number) == fingerprint, fingerprint
            if fingerprint != model.tried.get(number) and (at_start or is_still):
                model.tried[number] = fingerprint
                self._load_version(model, number, place, is_only=at_start and len(places) == 1)
        if at_start and not model.versions:
            raise ZooError(f"{model.preset}: {' '.join(model.errors.values())}")
        model.errors.pop(None, None)
        for gone in {*model.seen} - {*places}:
            model.errors.pop(gone, None)
            for held in (model.versions, model.seen, model.tried):
                held.pop(gone, None)
            log("removed", model=model.name, version=gone)

    def _load_version(self, model: Model, number: int, place: Place, is_only: bool) -> None:
        settings = self._settings
        try:
            version = load_version(
                model.name,
                number,
                place,
                settings.backend,
                dict(settings.options.get(model.name, {})),
                settings.batch_size,
            )
        except ZooError as error:
            if is_only:
                raise
            self._report(model, number, str(error), place.without_paths(str(error)))
            return
        model.errors.pop(number, None)
        model.versions[number] = version
        log("loaded", model=model.name, version=number, backend=version.graphs.backend)

    def _report(self, model: Model, number: int | None, error: str, shown: str) -> None:
        """Keep the error of a version, or of the whole folder, and log it once.

        Args:
            model: the model.
            number: number of the version; None for the folder.
            error: the error.
            shown: the error as clients see it, without paths.
        """
        shown = " ".join(shown.split())
        if model.errors.get(number) != shown:
            model.errors[number] = shown
            log("failed", model=model.name, version=number, error=" ".join(error.split()))

    def reload(self) -> None:
        """Search once for new, changed and removed versions."""
        with self._lock:
            for model in self:
                self._load(model)

    async def watch(self) -> None:
        """Search for new versions until the task is cancelled. Requests are answered meanwhile."""
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            await asyncio.to_thread(self.reload)

    def close(self) -> None:
        """Stop the threads of the models."""
        for model in self:
            model.queue.close()
