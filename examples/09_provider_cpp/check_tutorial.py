# SPDX-License-Identifier: BSD-3-Clause
"""check_tutorial.py ROOT: every piece of C++ in docs/tutorial.md stands in this example, as it is."""
import pathlib
import re
import sys


def lines_of(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


root = pathlib.Path(sys.argv[1])
folder = root / "examples/09_provider_cpp"
sources = [lines_of(path.read_text()) for path in sorted(folder.glob("*.?pp"))]
blocks = re.findall(r"```cpp\n(.*?)```", (root / "docs/tutorial.md").read_text(), re.DOTALL)
missing = []
for block in blocks:
    wanted = lines_of(block)
    count = len(wanted)
    if not any(source[at:at + count] == wanted
               for source in sources for at in range(len(source) - count + 1)):
        missing.append(block)
for block in missing:
    print("docs/tutorial.md shows what is not in examples/09_provider_cpp:\n" + block)
sys.exit(1 if missing or not blocks else 0)
