#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that a shared object defines no dynamic symbol but those a pattern allows, and at least one.

Usage: exported_symbols.py PATTERN FILE
"""
import re
import subprocess
import sys


def main() -> int:
    pattern, path = sys.argv[1:]
    lines = subprocess.run(
        ["nm", "-D", "--defined-only", "--format=posix", path],
        check=True, capture_output=True, text=True).stdout.splitlines()
    names = [line.split()[0] for line in lines]
    strangers = [name for name in names if not re.fullmatch(pattern, name)]
    for name in strangers:
        print(f"{path} exports {name}")
    if not names:
        print(f"{path} exports nothing")
    return 1 if strangers or not names else 0


if __name__ == "__main__":
    sys.exit(main())
