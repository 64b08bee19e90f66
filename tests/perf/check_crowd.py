# SPDX-License-Identifier: BSD-3-Clause
"""check_crowd.py PROGRAM FOLDER: many clients of one tcp server connect at once, call, and leave:
all are served, and the server has afterwards the descriptors that it had before. How many:
CINNABAR_TEST_CLIENTS. No time is judged."""
import json
import os
import subprocess
import sys

PROGRAM, FOLDER = sys.argv[1:3]
CLIENTS = int(os.environ.get("CINNABAR_TEST_CLIENTS", "250"))

os.makedirs(FOLDER, exist_ok=True)
name = os.path.join(FOLDER, "crowd.json")
subprocess.run([PROGRAM, "local", "na+tcp://127.0.0.1:0", "--mode", "storm,clients", "--clients",
                str(CLIENTS), "--seconds", "0.1", "--json", name], check=True)
with open(name, encoding="utf-8") as stream:
    storm, clients = json.load(stream)["rows"]
assert storm["count"] == CLIENTS, storm
assert storm["more"]["descriptors/client"] >= 1, storm
assert storm["more"]["left descriptors"] <= 0, storm
assert clients["more"]["slowest"] >= 1, clients
