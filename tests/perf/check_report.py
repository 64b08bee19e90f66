# SPDX-License-Identifier: BSD-3-Clause
"""check_report.py REPORT NETWORK...: a report is complete and its figures are possible; no time is
judged."""
import json
import sys

PATHS = sys.argv[2:]
CALLS = {f"{path}/{mode}/rpc/{window}"
         for path in PATHS for mode in ("busy", "blocking") for window in (1, 16, 64)}
PULLS = {f"{path}/busy/pull/{memory}/{size}"
         for path in PATHS for memory in ("user", "library")
         for size in ("4KiB", "16KiB", "64KiB", "256KiB", "1MiB", "4MiB", "16MiB")}


def check_spread(spread, where):
    assert 0 < spread["low"] <= spread["median"] <= spread["high"] < 1e9, f"{where}: {spread}"


def check_floor(floor, where):
    assert floor["name"], where
    check_spread(floor["value"], f"{where}: {floor['name']}")
    check_spread(floor["ratio"], f"{where}: {floor['name']}: ratio")


def check_result(result):
    name = result["name"]
    assert result["rounds"] >= 1, f"{name}: no round was kept"
    assert result["unit"] == ("MB/s" if "bytes" in result else "us/call"), name
    check_spread(result["value"], name)
    check_floor(result["floor"], name)
    assert 0 <= result["ratio_uncertainty"] <= 1e9 and result["ratio_between_passes"] >= 0, name
    beside = {other["name"] for other in result["others"]}
    assert ("the same calls, busy" in beside) == (result["mode"] == "blocking"), f"{name}: {beside}"
    for other in result["others"]:
        check_floor(other, name)


def main():
    with open(sys.argv[1], encoding="utf-8") as stream:
        report = json.load(stream)
    for fact in ("commit", "build_type", "compiler", "started", "host", "options"):
        assert report[fact], f"{fact} is missing"
    names = [result["name"] for result in report["results"]]
    assert len(names) == len(set(names)), "a case is there twice"
    assert set(names) == CALLS | PULLS, f"differs: {sorted(set(names) ^ (CALLS | PULLS))}"
    for result in report["results"]:
        check_result(result)


main()
