# SPDX-License-Identifier: BSD-3-Clause
"""check_crowd.py PROGRAM FOLDER: many clients of one server connect at once, call, and leave: all are
served, none starves beside the others, and the server has afterwards the descriptors that it had
before. How many: CINNABAR_TEST_CLIENTS. No time is judged."""
import json
import os
import subprocess
import sys

PROGRAM, FOLDER = sys.argv[1:3]
CLIENTS = int(os.environ.get("CINNABAR_TEST_CLIENTS", "250"))
# Over sm each client costs descriptors and memory of both ends, which are one machine's.
NETS = {"na+tcp://127.0.0.1:0": CLIENTS, "na+sm": min(CLIENTS, 100)}


def check(net, count):
    name = os.path.join(FOLDER, "crowd.json")
    subprocess.run([PROGRAM, "local", net, "--mode", "storm,clients", "--clients", str(count),
                    "--seconds", "0.1", "--json", name], check=True)
    with open(name, encoding="utf-8") as stream:
        storm, clients = json.load(stream)["rows"]
    assert storm["count"] == storm["clients"] == count, storm
    assert storm["more"]["descriptors/client"] >= 1, storm
    assert storm["more"]["left descriptors"] <= 0, storm
    # Calls, which all were answered in the same time: shares of a server, not speed.
    assert clients["more"]["slowest"] >= 1, clients
    assert clients["more"]["fastest"] <= 10 * clients["more"]["slowest"] + 10, clients
    assert clients["more"]["server us/call"] > 0, clients
    assert clients["more"]["rate/rate of 16"] > 0, clients


os.makedirs(FOLDER, exist_ok=True)
for each in NETS.items():
    check(*each)
