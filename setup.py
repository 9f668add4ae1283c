"""What pyproject.toml cannot say: the wheel holds the presets, which stand beside the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PRESETS = Path("saved_models")
# Exports are made from presets, on the user's machine.
EXPORTS = shutil.ignore_patterns(
    "[0-9]*", "onnx*", "litert*", "tensorrt", "kserve", "triton", "tfserving", ".*"
)
# A wheel of all presets would be too large for a package index. This one has those under 3 MB, and the
# cards and metrics of the others, which are fetched. packages/vision_language makes a wheel of a family.
MAX_BYTES = 3_000_000
ABOUT = {"CARD.md", "metrics.json"}


class BuildWithPresets(build_py):
    """Copies `saved_models` into the package that is built; an editable install needs no copy."""

    def run(self):
        """Run the step."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "zoo" / PRESETS.name
            shutil.rmtree(target, ignore_errors=True)  # of an earlier build
            shutil.copytree(PRESETS, target, ignore=_left_out)


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What of a folder is not in this wheel."""
    exports = EXPORTS(folder, names)
    files = [path for name in set(names) - exports if (path := Path(folder, name)).is_file()]
    too_large = sum(path.stat().st_size for path in files) >= MAX_BYTES
    return exports | ({path.name for path in files} - ABOUT if too_large else set())


setup(cmdclass={"build_py": BuildWithPresets})
