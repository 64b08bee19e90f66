#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""agree.py A.json B.json [PART]: whether two reports of "cinnabar-perf run" agree: the ratios of each
case differ by at most that part (default 0.1) of the smaller. Prints every case that differs more,
and those that cannot be compared, because one of them has no figure or the floors themselves differ
by more than a quarter: the machine was another one. Exits with 1 if any case differs, or none could
be compared."""
import json
import sys

FLOORS_MAY_DIFFER = 1.25


def results(name):
    with open(name, encoding="utf-8") as stream:
        return {result["name"]: result for result in json.load(stream)["results"]}


def apart(first, second):
    return max(first, second) / min(first, second)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    first, second = results(sys.argv[1]), results(sys.argv[2])
    allowed = 1 + float(sys.argv[3] if len(sys.argv) == 4 else 0.1)
    agree, differ, unlike = [], [], []
    for name in sorted(first.keys() | second.keys()):
        pair = [side.get(name) for side in (first, second)]
        if not all(result and result["rounds"] > 0 for result in pair):
            unlike.append(f"{name}: no figure")
            continue
        floors = [result["floor"]["value"]["median"] for result in pair]
        ratios = [result["floor"]["ratio"]["median"] for result in pair]
        line = (f"{name}: ratios {ratios[0]:.3g} and {ratios[1]:.3g}, "
                f"floors {floors[0]:.3g} and {floors[1]:.3g}")
        if apart(*floors) > FLOORS_MAY_DIFFER:
            unlike.append(line)
        elif apart(*ratios) > allowed:
            differ.append(line)
        else:
            agree.append(apart(*ratios) - 1)
    for line in unlike:
        print(f"not compared: {line}")
    for line in differ:
        print(f"DIFFERS: {line}")
    worst = f", by {100 * max(agree):.1f}% at most" if agree else ""
    print(f"{len(agree)} agree{worst}; {len(differ)} differ; {len(unlike)} cannot be compared")
    return 1 if differ or not agree else 0


sys.exit(main())
