"""Write the corpus of moving shapes, MP4 files and their list: `render_video_shapes.py FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.vision_language.motion.corpora.video_shapes import render


def main() -> None:
    """Write the corpus. Existing files with the same names are replaced."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    render(folder)


if __name__ == "__main__":
    main()
