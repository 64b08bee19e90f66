#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Prints the figures of a report as tables of Markdown, for docs/performance.md."""
import json
import sys


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def spread(values):
    return f"{values['low']:.2f}-{values['high']:.2f}"


def print_calls(results):
    print("| calls | µs a call | calls a second | floor, µs | times the floor | middle half |")
    print("|---|---|---|---|---|---|")
    for result in results:
        for floor in [result["floor"]] + result["others"]:
            first = floor is result["floor"]
            name = f"`{result['name']}`" if first else ""
            value = number(result["value"]["median"]) if first else ""
            rate = number(result["calls_per_second"]) if first else ""
            print(f"| {name} | {value} | {rate} | {number(floor['value']['median'])} {floor['name']} "
                  f"| {floor['ratio']['median']:.2f} | {spread(floor['ratio'])} |")


def print_pulls(results):
    print("| pulls | MB/s | floor, MB/s | of the floor | middle half | beside it, MB/s |")
    print("|---|---|---|---|---|---|")
    for result in results:
        floor = result["floor"]
        others = "; ".join(f"{other['name']} {number(other['value']['median'])} "
                           f"({other['ratio']['median']:.2f})" for other in result["others"])
        print(f"| `{result['name']}` | {number(result['value']['median'])} "
              f"| {number(floor['value']['median'])} {floor['name']} "
              f"| {floor['ratio']['median']:.2f} | {spread(floor['ratio'])} | {others} |")


def main():
    with open(sys.argv[1], encoding="utf-8") as stream:
        report = json.load(stream)
    host = report["host"]
    print(f"Commit `{report['commit']}`, {report['build_type']}, {report['compiler']}, "
          f"{report['started']}; {host['cpus']} x {host['cpu']}, {host['kernel']}; load "
          f"{host['load_before']:.1f} before, {host['load_after']:.1f} after.\n")
    results = [result for result in report["results"] if result["rounds"] > 0]
    print_calls([result for result in results if "bytes" not in result])
    print()
    print_pulls([result for result in results if "bytes" in result])


main()
