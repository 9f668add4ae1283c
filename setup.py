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
# One wheel of all would be too large for a package index: packages/vision_language makes one of these;
# what is known of them is in this one.
APART = PRESETS / "vision_language"
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
    return EXPORTS(folder, names) | (set(names) - ABOUT if Path(folder).parent == APART else set())


setup(cmdclass={"build_py": BuildWithPresets})
