# SPDX-License-Identifier: BSD-3-Clause
"""A relative link in a document leads to a file, and to a heading where it names one."""
import os
import re

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def check(tree):
    problems = []
    for path in tree.ending_in(".md"):
        prose = CODE.sub("", FENCE.sub("", tree.text(path)))
        for target in LINK.findall(prose):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, heading = target.partition("#")
            linked = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if not tree.exists(linked):
                problems.append(f"{path}: {target} leads nowhere")
            elif heading and heading not in _headings(tree, linked):
                problems.append(f"{path}: {target} names no heading of {linked}")
    return problems


def _headings(tree, path):
    titles = HEADING.findall(FENCE.sub("", tree.text(path)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
