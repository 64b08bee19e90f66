# SPDX-License-Identifier: BSD-3-Clause
"""check_roles.py PROGRAM FOLDER: a server and a client of cinnabar-perf, and one that is both, run
every mode; the documents are complete and the figures possible. No time is judged."""
import json
import os
import shutil
import subprocess
import sys

PROGRAM, FOLDER = sys.argv[1:3]
MODES = {"latency", "rate", "pull", "push", "first-call", "storm", "clients", "threads", "rest"}
WITHOUT_COUNT = {"rest"}


def check_document(name):
    with open(name, encoding="utf-8") as stream:
        document = json.load(stream)
    assert document["commit"] and document["server"] and document["info"], document
    assert {row["mode"] for row in document["rows"]} == MODES, document["rows"]
    for row in document["rows"]:
        times = row["us"]
        assert times["p50"] <= times["p90"] <= times["p99"] <= times["p99.9"] <= times["max"], row
        assert row["mode"] in WITHOUT_COUNT or row["count"] > 0, row
        assert row["mode"] not in ("pull", "push") or row["MB_per_second"] > 0, row
        assert row["mode"] != "storm" or row["more"]["left descriptors"] <= 0, row
        assert row["mode"] != "clients" or row["more"]["slowest"] > 0, row
    return document


def run(*arguments):
    subprocess.run([PROGRAM, *arguments], check=True, stdout=subprocess.DEVNULL)


def check_apart():
    """A server that somebody else has started, then stopped by its client."""
    name = os.path.join(FOLDER, "apart.json")
    with subprocess.Popen([PROGRAM, "server", "na+tcp://127.0.0.1:0", "--blocking"],
                          stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            assert address, "the server does not print its address"
            run("client", address, "--blocking", "--quick", "--mode", "all", "--json", name,
                "--stop-server")
            assert server.wait() == 0, "the server did not end well"
        finally:
            server.kill()
    document = check_document(name)
    assert not document["local"] and all("floor" not in row for row in document["rows"])


def check_local():
    name = os.path.join(FOLDER, "local.json")
    plots = os.path.join(FOLDER, "plots")
    shutil.rmtree(plots, ignore_errors=True)
    run("local", "na+sm", "--quick", "--mode", "all", "--json", name, "--plots", plots)
    document = check_document(name)
    floors = [row for row in document["rows"] if "floor" in row]
    assert {row["mode"] for row in floors} == {"latency", "rate", "pull", "push"}, floors
    assert all(row["floor"]["us_each"] > 0 for row in floors)
    if shutil.which("gnuplot"):
        assert sorted(os.listdir(plots)) == [
            "bandwidth.svg", "clients.svg", "latency.svg", "rate.svg", "threads.svg"]


def check_interrupted():
    """Ctrl-C ends a server well."""
    with subprocess.Popen([PROGRAM, "server", "na+sm"], stdout=subprocess.PIPE,
                          text=True) as server:
        assert server.stdout.readline()
        server.terminate()
        assert server.wait() == 0


os.makedirs(FOLDER, exist_ok=True)
check_apart()
check_local()
check_interrupted()
