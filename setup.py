"""What pyproject.toml cannot say: the wheel holds the presets, which stand beside the package."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PRESETS = Path("saved_models")
# Exports are made from presets, on the user's machine.
EXPORTS = shutil.ignore_patterns("[0-9]*", "onnx", "litert", "tensorrt", ".*")


class BuildWithPresets(build_py):
    """Copies `saved_models` into the package that is built; an editable install needs no copy."""

    def run(self):
        """Run the step."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "zoo" / PRESETS.name
            shutil.copytree(PRESETS, target, ignore=EXPORTS, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithPresets})
