"""Fetch the data sets that tests read and that may not travel with this package."""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(cases: list[str]) -> int:
    """Fetch all data sets, or those named; the number that could not be had."""
    missing = 0
    (HERE / "data").mkdir(exist_ok=True)
    for path in sorted(HERE.glob("*/manifest.json")):
        file = json.loads(path.read_text(encoding="utf-8")).get("file")
        if file is None or (cases and path.parent.name not in cases):
            continue
        try:
            with urllib.request.urlopen(file["url"], timeout=60) as answer:
                content = answer.read()
        except OSError as error:
            missing += 1
            print(f"{file['name']}: {file['url']} cannot be reached ({error})")
            continue
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            missing += 1
            print(f"{file['name']}: what {file['url']} gives is not what the answers are of")
            continue
        (HERE / "data" / file["name"]).write_bytes(content)
        print(f"{file['name']}: {len(content):,} bytes")
    return missing


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
