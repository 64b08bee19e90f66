# SPDX-License-Identifier: BSD-3-Clause
"""The files of a source tree that the rules look at. Paths are relative and written with slashes."""
import os
import subprocess

SKIPPED_FOLDERS = {".git", ".cache", "build", "out", "__pycache__"}


class Tree:
    """A folder with sources. Reads each file once; knows files that git tracks or would track."""

    def __init__(self, root):
        self.root = root
        self.paths = sorted(_tracked(root) or _walked(root))
        self._texts = {}

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                self._texts[path] = file.read()
        return self._texts[path]

    def lines(self, path):
        return self.text(path).split("\n")

    def ending_in(self, *ends):
        return [path for path in self.paths if path.endswith(ends)]

    def sources(self):
        """C and C++ files, the templates of generated headers among them."""
        return self.ending_in(".c", ".h", ".cpp", ".hpp", ".h.in")

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))


def _tracked(root):
    if not os.path.exists(os.path.join(root, ".git")):
        return []
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=root,
                            capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        return []
    return [path for path in listed.stdout.split("\0")
            if path and os.path.isfile(os.path.join(root, path))]


def _walked(root):
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders
                      if name not in SKIPPED_FOLDERS and not name.startswith("build-")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return found
