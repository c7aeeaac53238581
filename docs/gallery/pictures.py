"""The pictures of the gallery: what each page draws, as a file beside it.

    python docs/gallery/pictures.py FOLDER [PAGE …]

FOLDER holds the data that the pages read (california_prop99.csv, basque.csv, germany.csv,
mpdta.csv); a page whose data are not there keeps its picture.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def blocks(page: Path) -> list[str]:
    """The Python of a page."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M)


def main(folder: Path, names: list[str]) -> None:
    import matplotlib

    matplotlib.use("agg")
    os.chdir(folder)
    for page in sorted(HERE.glob("*.md")):
        code = blocks(page)
        if not code or (names and page.stem not in names):
            continue
        namespace: dict[str, Any] = {}
        try:
            for block in code:
                exec(block, namespace)
        except FileNotFoundError as missing:
            print(f"{page.stem}: no {missing.filename}; its picture stays.")
            continue
        namespace["figure"].savefig(HERE / f"{page.stem}.png", dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
