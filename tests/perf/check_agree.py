# SPDX-License-Identifier: BSD-3-Clause
"""check_agree.py REPORT FOLDER: agree.py finds that a report agrees with itself, and finds what was
changed in it."""
import copy
import json
import os
import subprocess
import sys

REPORT, FOLDER = sys.argv[1:3]
AGREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "agree.py")


def compare(changed):
    name = os.path.join(FOLDER, "changed.json")
    with open(name, "w", encoding="utf-8") as stream:
        json.dump(changed, stream)
    done = subprocess.run([sys.executable, AGREE, REPORT, name], stdout=subprocess.PIPE, text=True)
    return done.returncode, done.stdout


def main():
    os.makedirs(FOLDER, exist_ok=True)
    with open(REPORT, encoding="utf-8") as stream:
        report = json.load(stream)
    count = len(report["results"])
    code, said = compare(report)
    assert code == 0 and f"{count} agree" in said, said

    slower = copy.deepcopy(report)
    slower["results"][0]["floor"]["ratio"]["median"] *= 1.11
    code, said = compare(slower)
    assert code == 1 and f"DIFFERS: {report['results'][0]['name']}:" in said, said

    elsewhere = copy.deepcopy(slower)
    elsewhere["results"][0]["floor"]["value"]["median"] *= 1.3
    code, said = compare(elsewhere)
    assert code == 0 and f"not compared: {report['results'][0]['name']}:" in said, said

    without = copy.deepcopy(report)
    for result in without["results"]:
        result["rounds"] = 0
    code, said = compare(without)
    assert code == 1 and f"0 agree; 0 differ; {count} cannot" in said, said


main()
