#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Counts what a call costs, both sides together: instructions, locked instructions, allocations,
copies by function and system calls, over each net with 1 and with 16 calls in flight; and a pull of
4 KiB of a program's memory over sm.

Usage: count.py PROGRAM                        prints a table of Markdown
       count.py PROGRAM --check TABLE BUILD    fails if a call takes more instructions than TABLE
                                               allows for the build
       count.py PROGRAM --idle                 fails if idle peers make a call dearer

PROGRAM is cinnabar-perf, whose subcommand "count" makes calls between two nets of one process in
one thread, after some that do not count. Needs valgrind; the table also strace and objdump. Of the
peers that the table names only one calls; the others have, and are idle.
"""
import collections
import os
import re
import subprocess
import sys
import tempfile

NETS = {"sm": "na+sm", "tcp": "na+tcp://127.0.0.1:0"}
CALLS = 2000
PULL = "pull"  # in the place of the number in flight
CASES = [(net, in_flight) for net in NETS for in_flight in (1, 16)] + [("sm", PULL)]
IDLE_PEERS = (1, 64, 256)
MEASURED = "--toggle-collect=*Counted*measured*"
LOCKED = re.compile(r"\block\b|\bxchg\b[^#<]*\(")


def command(program, net, in_flight, calls=CALLS, peers=1):
    what = ["--pull", "4096"] if in_flight == PULL else ["--in-flight", str(in_flight)]
    return [program, "count", NETS[net], *what, "--calls", str(calls), "--peers", str(peers)]


def name(net, in_flight):
    return f"{net}, a pull of 4 KiB" if in_flight == PULL else f"{net}, {in_flight} in flight"


def run(arguments):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}")
    return done.stdout


def instructions(program, net, in_flight, peers=1):
    output = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", MEASURED]
                 + command(program, net, in_flight, peers=peers))
    collected = int(re.search(r"Collected : (\d+)", output).group(1))
    assert collected > 0, "callgrind did not find the function whose calls count"
    return collected / CALLS


class Locked:
    """Knows the addresses of the locked instructions of each object."""

    def __init__(self):
        self.objects = {}

    def of(self, name):
        if name not in self.objects:
            self.objects[name] = set()
            if os.path.exists(name):
                for line in run(["objdump", "-d", "--no-show-raw-insn", name]).splitlines():
                    address, _, text = line.partition(":")
                    if LOCKED.search(text):
                        self.objects[name].add(int(address, 16))
        return self.objects[name]


locked = Locked()


def path(program, net, in_flight):
    """Instructions, how many of them are locked, and calls of copying functions."""
    found = collections.Counter(instructions=0, locked=0, copies=0)
    with tempfile.NamedTemporaryFile() as out:
        run(["valgrind", "--tool=callgrind", "--dump-instr=yes", "--compress-strings=no",
             "--compress-pos=no", f"--callgrind-out-file={out.name}", MEASURED]
            + command(program, net, in_flight))
        addresses, callee, inclusive = set(), "", False
        for line in open(out.name, encoding="utf-8"):
            if line.startswith("ob="):
                addresses = locked.of(line[3:].strip())
            elif line.startswith("cfn="):
                callee = line[4:]
            elif line.startswith("calls="):
                if re.match(r"(__)?mem(cpy|move)", callee):
                    found["copies"] += int(line[6:].split()[0])
                inclusive = True  # the next line is what the callee took
            elif line.startswith("0x"):
                address, _, cost = line.split()[:3]
                if not inclusive:
                    found["instructions"] += int(cost)
                    found["locked"] += int(cost) if int(address, 16) in addresses else 0
                inclusive = False
    return {key: value / CALLS for key, value in found.items()}


def allocations(program, net, in_flight):
    """Here the difference between two runs."""
    counts = []
    for calls in (CALLS, 2 * CALLS):
        output = run(["valgrind", "--leak-check=no"] + command(program, net, in_flight, calls))
        found = re.search(r"total heap usage: ([\d,]+) allocs", output).group(1)
        counts.append(int(found.replace(",", "")))
    return (counts[1] - counts[0]) / CALLS


def system_calls(program, net, in_flight, peers=1):
    with tempfile.NamedTemporaryFile() as out:
        run(["strace", "-f", "-o", out.name] + command(program, net, in_flight, peers=peers))
        lines = open(out.name, encoding="utf-8").read()
    measured = lines[lines.index('"begin"'):lines.index('"end"')]
    return (measured.count("(") - 1) / CALLS


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def print_table(program):
    print("| a call, both sides | instructions | locked ones | memcpy and memmove called "
          "| allocations | system calls |")
    print("|---|---|---|---|---|---|")
    for net, in_flight in CASES:
        found = path(program, net, in_flight)
        cells = [found["instructions"], found["locked"], found["copies"],
                 allocations(program, net, in_flight), system_calls(program, net, in_flight)]
        print(f"| {name(net, in_flight)} | {' | '.join(map(number, cells))} |", flush=True)
    print("\n| a call, both sides | idle peers | instructions | system calls |\n|---|---|---|---|")
    for net in NETS:
        for peers in IDLE_PEERS:
            print(f"| {net}, 1 in flight | {peers - 1} "
                  f"| {number(instructions(program, net, 1, peers))} "
                  f"| {number(system_calls(program, net, 1, peers))} |", flush=True)


def ceilings(table, build):
    found = {}
    for line in open(table, encoding="utf-8"):
        words = line.split("#")[0].split()
        if words and words[0] == build:
            found[words[1], PULL if words[2] == PULL else int(words[2])] = int(words[3])
    return found


def check(program, table, build):
    allowed = ceilings(table, build)
    assert set(allowed) == set(CASES), f"{table} lacks a line for {build}"
    failed = False
    for net, in_flight in CASES:
        counted = instructions(program, net, in_flight)
        ceiling = allowed[net, in_flight]
        print(f"{build} {name(net, in_flight)}: {counted:.0f} instructions, "
              f"at most {ceiling} allowed")
        if counted > ceiling:
            print("  TOO MANY: make the path shorter again")
            failed = True
        elif counted < 0.9 * ceiling:
            print(f"  lower the ceiling in {table}")
    return 1 if failed else 0


def check_idle(program):
    """A poll looks at those who have something to say: a call beside idle peers is a call."""
    failed = False
    for net in NETS:
        alone = instructions(program, net, 1), system_calls(program, net, 1)
        beside = instructions(program, net, 1, 64), system_calls(program, net, 1, 64)
        print(f"{net}: alone {alone}, beside 63 idle peers {beside} instructions and system calls")
        failed = failed or beside[0] > 1.15 * alone[0] or beside[1] > alone[1] + 0.1
    return 1 if failed else 0


def main():
    if len(sys.argv) == 5 and sys.argv[2] == "--check":
        return check(sys.argv[1], sys.argv[3], sys.argv[4])
    if len(sys.argv) == 3 and sys.argv[2] == "--idle":
        return check_idle(sys.argv[1])
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    return print_table(sys.argv[1])


sys.exit(main())
