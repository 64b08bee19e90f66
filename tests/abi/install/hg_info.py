#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks what an installed hg_info prints: the list in its three forms, filters, explanations.

Usage: hg_info.py PROGRAM
"""
import csv
import io
import json
import subprocess
import sys
import unittest

PROGRAM = ""


def ask(*arguments, status=0):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def triples(listed):
    return [(each["class"], each["protocol"], each["device"]) for each in listed]


class Lists(unittest.TestCase):
    def test_every_form_says_the_same(self):
        listed = triples(json.loads(ask("--json"))["protocols"])
        self.assertEqual(triples(csv.DictReader(io.StringIO(ask("--csv")))), listed)
        table = [tuple(line.split(maxsplit=2)) for line in ask().splitlines()]
        self.assertEqual(table[0], ("Class", "Protocol", "Device"))
        self.assertEqual(table[2:], listed)
        self.assertEqual(ask("-c"), ask("--csv"))
        self.assertEqual(ask("-j"), ask("--json"))
        self.assertEqual(ask("-s"), "")

    def test_each_device_is_there_once(self):
        listed = triples(json.loads(ask("-j"))["protocols"])
        self.assertEqual(len(listed), len(set(listed)))
        self.assertIn(("na", "sm", "shm"), listed)
        self.assertIn(("na", "tcp", "lo"), listed)

    def test_filters(self):
        self.assertEqual(triples(json.loads(ask("-j", "na+sm"))["protocols"]), [("na", "sm", "shm")])
        for name, protocol, _ in triples(json.loads(ask("-j", "tcp"))["protocols"]):
            self.assertEqual(protocol, "tcp", name)

    def test_nothing_found(self):
        self.assertEqual(ask("bogus", status=1), "")
        self.assertEqual(json.loads(ask("-j", "bogus", status=1)), {"protocols": []})
        self.assertEqual(ask("-c", "bogus", status=1), "class,protocol,device\n")
        self.assertEqual(ask("-s", "bogus", status=1), "")


class Explains(unittest.TestCase):
    def explain(self, text, status=0):
        return json.loads(ask("-j", "--explain", text, status=status))

    def test_a_place_to_listen_at(self):
        result = self.explain("tcp://127.0.0.1:0")
        self.assertTrue(result["opened"])
        self.assertEqual(result["used"], {"class": "na", "protocol": "tcp", "device": "lo"})
        self.assertRegex(result["address"], r"^na\+tcp://127\.0\.0\.1:\d+$")
        reasons = {(each["class"], each["protocol"], each["device"]): each["reason"]
                   for each in result["others"]}
        self.assertIn("not asked for", reasons["na", "sm", "shm"])
        self.assertNotIn(("na", "tcp", "lo"), reasons)
        listed = triples(json.loads(ask("-j"))["protocols"])
        self.assertEqual(len(reasons) + 1, len(listed))

    def test_shared_memory(self):
        result = self.explain("na+sm")
        self.assertEqual(result["used"], {"class": "na", "protocol": "sm", "device": "shm"})
        self.assertTrue(result["address"].startswith("na+sm://"))

    def test_the_address_of_somebody_else(self):
        result = self.explain("tcp://203.0.113.9:4242")
        self.assertFalse(result["opened"])
        self.assertTrue(result["called"])
        self.assertEqual(result["address"], "na+tcp://203.0.113.9:4242")
        self.assertTrue(result["log"])

    def test_what_cannot_be_used(self):
        result = self.explain("bogus://x", status=1)
        self.assertFalse(result["opened"] or result["called"])
        self.assertTrue(any("no plugin speaks" in line for line in result["log"]))
        self.assertIn('"bogus://x" cannot be used', ask("--explain", "bogus://x", status=1))

    def test_as_text(self):
        text = ask("--explain", "na+sm")
        self.assertTrue(text.startswith('"na+sm" is opened by na+sm, device shm\n'), text)
        self.assertIn("not used:\n", text)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop()
    unittest.main()
