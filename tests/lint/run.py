#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the rules named (all without names) over the source tree and prints what breaks them.

Usage: run.py [RULE]...
"""
import importlib
import os
import sys

from tree import Tree

RULES = ("layering", "form", "format", "links")


def main() -> int:
    root = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    tree = Tree(root)
    count = 0
    for rule in sys.argv[1:] or RULES:
        for problem in importlib.import_module(rule).check(tree):
            print(f"{rule}: {problem}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
