# SPDX-License-Identifier: BSD-3-Clause
"""C and C++ sources are as clang-format 14 writes them; `tests/run format` rewrites them."""
import os
import re
import shutil
import subprocess


def check(tree):
    formatter = shutil.which("clang-format-14") or shutil.which("clang-format")
    paths = tree.ending_in(".c", ".h", ".cpp", ".hpp")
    if formatter is None or not paths:
        return []
    version = subprocess.run([formatter, "--version"], capture_output=True, text=True, check=True)
    if not re.search(r"version 14\.", version.stdout):
        print(f"format: not judged, this is {version.stdout.strip()}")
        return []
    result = subprocess.run([formatter, "--dry-run", "-Werror", "--style=file", *paths],
                            cwd=os.path.abspath(tree.root), capture_output=True, text=True, check=False)
    bad = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", result.stderr, re.MULTILINE)))
    problems = [f"{path}: not as clang-format writes it" for path in bad]
    if result.returncode != 0 and not problems:
        problems.append(result.stderr.strip())
    return problems
