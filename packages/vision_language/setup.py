"""Package the presets of the family. The version and the files are those of the repository."""

import re
import shutil
from pathlib import Path

from setuptools import setup

REPOSITORY = Path("../..")
(VERSION,) = re.findall(
    r'^__version__ = "(.+)"$', (REPOSITORY / "zoo/__init__.py").read_text("utf-8"), re.MULTILINE
)
# `zoo.common.presets.store` searches for this name.
PACKAGE = "recurrent_zoo_vision_language"

# An earlier build may have other presets.
shutil.rmtree("build", ignore_errors=True)
setup(
    version=VERSION,
    install_requires=[f"recurrent-zoo=={VERSION}"],
    packages=[PACKAGE],
    package_dir={PACKAGE: str(REPOSITORY / "saved_models/vision_language")},
    # Only files: exports are in subfolders.
    package_data={PACKAGE: ["*/*"]},
)
