"""What pyproject.toml cannot say: version and files are those of the repository around this folder."""

import re
import shutil
from pathlib import Path

from setuptools import setup

REPOSITORY = Path("../..")
(VERSION,) = re.findall(
    r'^__version__ = "(.+)"$', (REPOSITORY / "zoo/__init__.py").read_text("utf-8"), re.MULTILINE
)
# `zoo.common.presets.store` looks for it.
PACKAGE = "recurrent_zoo_vision_language"

shutil.rmtree("build", ignore_errors=True)  # of an earlier build, whose presets may be others
setup(
    version=VERSION,
    install_requires=[f"recurrent-zoo=={VERSION}"],
    packages=[PACKAGE],
    package_dir={PACKAGE: str(REPOSITORY / "saved_models/vision_language")},
    # Files alone: exports stand in folders.
    package_data={PACKAGE: ["*/*"]},
)
