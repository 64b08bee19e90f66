# SPDX-License-Identifier: BSD-3-Clause
"""The form of a file: its first line, its guard, its size, and no tabs or blanks at line ends."""
import re

SPDX = "SPDX-License-Identifier: BSD-3-Clause"
MAX_LINES = 500
MARKED = (".c", ".h", ".hpp", ".cpp", ".in", ".py", ".cmake", ".map", "CMakeLists.txt", "Makefile",
          ".clang-tidy", ".editorconfig", ".ci/packages")
TEXTS = MARKED + (".md", ".json", "LICENSE")


def check(tree):
    problems = []
    for path in tree.paths:
        script = _is_script(tree, path)
        if path.endswith(MARKED) or script:
            problems += _first_line(tree, path)
        if path.endswith(TEXTS) or script:
            problems += _blanks(tree, path)
    for path in tree.sources() + tree.ending_in(".py"):
        count = tree.text(path).count("\n")
        if count > MAX_LINES:
            problems.append(f"{path}: {count} lines; {MAX_LINES} are the most a file may have")
    for path in tree.ending_in(".hpp"):
        if "#pragma once" not in tree.lines(path):
            problems.append(f"{path}: no #pragma once")
    for path in tree.ending_in(".h", ".h.in"):
        if not re.search(r"^#ifndef (\w+_H)\n#define \1$", tree.text(path), re.MULTILINE):
            problems.append(f"{path}: no include guard")
    return problems


def _is_script(tree, path):
    name = path.split("/")[-1]
    return "." not in name and tree.text(path).startswith("#!")


def _first_line(tree, path):
    lines = tree.lines(path)
    at = 1 if lines[0].startswith("#!") else 0
    if at < len(lines) and SPDX in lines[at]:
        return []
    return [f"{path}:{at + 1}: the line is not the licence: {SPDX}"]


def _blanks(tree, path):
    problems = []
    makefile = path.endswith("Makefile")
    for number, line in enumerate(tree.lines(path), 1):
        if "\t" in line and not makefile:
            problems.append(f"{path}:{number}: a tab")
        if line != line.rstrip():
            problems.append(f"{path}:{number}: blanks at the end of the line")
    if not tree.text(path).endswith("\n"):
        problems.append(f"{path}: the last line does not end")
    return problems
