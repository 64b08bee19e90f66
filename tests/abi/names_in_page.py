#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that each function that every_name.c checks is named in a page, in backquotes.

Usage: names_in_page.py every_name.c PAGE
"""
import re
import sys


def main() -> int:
    source, page = (open(path, encoding="utf-8").read() for path in sys.argv[1:])
    names = re.findall(r"^    HAS\([^,]+,\s*(\w+)", source, re.MULTILINE)
    missing = [name for name in names if f"`{name}`" not in page]
    for name in missing:
        print(f"{sys.argv[2]} does not say what became of {name}")
    if not names:
        print(f"{sys.argv[1]} names nothing")
    return 1 if missing or not names else 0


if __name__ == "__main__":
    sys.exit(main())
