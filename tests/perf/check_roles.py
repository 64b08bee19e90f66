# SPDX-License-Identifier: BSD-3-Clause
"""check_roles.py PROGRAM FOLDER: a server and a client of cinnabar-perf, and one that is both, run
every mode; the documents are complete and the figures possible. No time is judged."""
import json
import os
import pty
import shutil
import socket
import struct
import subprocess
import sys

PROGRAM, FOLDER = sys.argv[1:3]
MODES = {"latency", "rate", "pull", "push", "first-call", "storm", "clients", "threads", "rest",
         "neighbours"}
WITHOUT_COUNT = {"rest"}
WITH_FLOOR = {"latency", "rate", "pull", "push"}


def check_document(name, modes):
    with open(name, encoding="utf-8") as stream:
        document = json.load(stream)
    assert document["commit"] and document["server"] and document["info"], document
    assert {row["mode"] for row in document["rows"]} == modes, document["rows"]
    for row in document["rows"]:
        times = row["us"]
        assert times["p50"] <= times["p90"] <= times["p99"] <= times["p99.9"] <= times["max"], row
        assert row["mode"] in WITHOUT_COUNT or row["count"] > 0, row
        assert row["mode"] not in ("pull", "push") or row["MB_per_second"] > 0, row
        assert row["mode"] != "storm" or row["more"]["left descriptors"] <= 0, row
        assert row["mode"] != "neighbours" or row["more"]["rate/rate alone"] > 0, row
        assert row["mode"] != "clients" or row["more"]["slowest"] > 0, row
    return document


def run(*arguments):
    subprocess.run([PROGRAM, *arguments], check=True, stdout=subprocess.DEVNULL)


def check_floors(document):
    floors = [row for row in document["rows"] if "floor" in row]
    modes = {row["mode"] for row in document["rows"]}
    assert {row["mode"] for row in floors} == WITH_FLOOR & modes, floors
    assert all(row["floor"]["us_each"] > 0 for row in floors), floors


def check_apart(net, modes, *flags):
    """A server that somebody else has started, then stopped by its client. Floors are measured with a
    process of the server's, over memory that the two share where the net does."""
    name = os.path.join(FOLDER, "apart.json")
    with subprocess.Popen([PROGRAM, "server", net, *flags],
                          stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            assert address, "the server does not print its address"
            run("client", address, *flags, "--quick", "--mode", ",".join(modes), "--json", name,
                "--transfers", "4K", "--in-flight", "1,16", "--segments", "1", "--stop-server")
            assert server.wait() == 0, "the server did not end well"
        finally:
            server.kill()
    document = check_document(name, modes)
    assert not document["local"]
    check_floors(document)


def check_hostile_floors():
    """The process that measures floors for others ends by itself when it is asked for what it is not
    for: another task, bytes that it does not have, an empty batch, events that it did not inherit."""
    for task, size in ((0, 0), (11, 1 << 40), (10, 0), (10, 257), (9, 0), (99, 0)):
        with subprocess.Popen([PROGRAM, "floors", "127.0.0.1"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            port = int(process.stdout.readline().split()[0])
            with socket.create_connection(("127.0.0.1", port)) as control, \
                    socket.create_connection(("127.0.0.1", port)):
                control.sendall(struct.pack("<IIQQ64sI4x", task, 0, 1, size, b"", 0))
                said = process.communicate()[1]
        assert process.returncode == 1 and "cinnabar-perf: " in said, (task, process.returncode, said)


def check_local():
    name = os.path.join(FOLDER, "local.json")
    plots = os.path.join(FOLDER, "plots")
    shutil.rmtree(plots, ignore_errors=True)
    run("local", "na+sm", "--quick", "--mode", "all", "--json", name, "--plots", plots)
    document = check_document(name, MODES)
    check_floors(document)
    if shutil.which("gnuplot"):
        assert sorted(os.listdir(plots)) == [
            "bandwidth.svg", "clients.svg", "latency.svg", "rate.svg", "threads.svg"]


def check_rest():
    """A server that waits sleeps, and is not woken up for nothing. How often is a count, not a time."""
    name = os.path.join(FOLDER, "rest.json")
    for net in ("na+sm", "na+tcp://127.0.0.1:0"):
        run("local", net, "--blocking", "--mode", "rest", "--seconds", "1", "--json", name)
        with open(name, encoding="utf-8") as stream:
            [row] = json.load(stream)["rows"]
        assert 5 <= row["more"]["server sleeps"] <= 100, row


def check_bar():
    """A bar is drawn on a terminal, and gone in the end; elsewhere there is none."""
    command = [PROGRAM, "run", "--quick", "--only", "sm/busy/rpc/1"]
    quiet = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert quiet.stderr == b"", quiet.stderr
    terminal, end = pty.openpty()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=end)
    os.close(end)
    drawn = ""
    while True:
        try:
            drawn += os.read(terminal, 65536).decode()
        except OSError:  # that is how a terminal says that nobody holds its other end
            break
    os.close(terminal)
    assert "0% 1 of 1: sm/busy/rpc/1" in drawn and drawn.endswith("\r" + " " * 80 + "\r"), drawn


def check_interrupted():
    """Ctrl-C ends a server well."""
    with subprocess.Popen([PROGRAM, "server", "na+sm"], stdout=subprocess.PIPE,
                          text=True) as server:
        assert server.stdout.readline()
        server.terminate()
        assert server.wait() == 0


os.makedirs(FOLDER, exist_ok=True)
check_apart("na+tcp://127.0.0.1:0", MODES, "--blocking")
check_apart("na+sm", WITH_FLOOR)
check_hostile_floors()
check_local()
check_interrupted()
check_bar()
check_rest()
