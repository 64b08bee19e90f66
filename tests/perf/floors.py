#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""floors.py PROGRAM BARE [TIMES]: the floors of cinnabar-perf beside those of bare_floor, a program
without any code of the project, in turn so many times (default 9): medians in microseconds, and the
median of their ratios. No time is judged: it fails only if one of the two does not work."""
import statistics
import subprocess
import sys

FLOORS = {"line": "one cache line there and back", "socket": "64 bytes there and back, bare sockets",
          "read": "process_vm_readv of 64 KiB", "copy": "memcpy of 64 KiB"}


def measured(*command):
    value = float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert value > 0, command
    return value


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    program, bare = sys.argv[1:3]
    times = int(sys.argv[3]) if len(sys.argv) == 4 else 9
    print("| floor | cinnabar-perf, µs | bare program, µs | ratio |\n|---|---|---|---|")
    for name, words in FLOORS.items():
        pairs = [(measured(program, "floor", name), measured(bare, name)) for _ in range(times)]
        ours, theirs = (statistics.median(side) for side in zip(*pairs))
        ratio = statistics.median(first / second for first, second in pairs)
        print(f"| {words} | {ours:.3g} | {theirs:.3g} | {ratio:.2f} |", flush=True)


main()
