#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Proves each rule: a tree that obeys is left alone, and each bad sample is found."""
import os
import shutil
import sys
import tempfile
import unittest

import form
import format as formatting
import layering
import links
from tree import Tree

MARK = "// SPDX-License-Identifier: BSD-3-Clause\n"
GOOD = {
    "na/include/na_types.h": "",
    "na/include/na_plugin.h": '#include "na_types.h"\n',
    "na/include/na.h": '#include "na_types.h"\n',
    "na/base/result.hpp": '#include "na_types.h"\n',
    "na/sdk/host.hpp": '#include "na/base/result.hpp"\n',
    "na/core/class.hpp": '#include "na/base/result.hpp"\n#include "na/sdk/host.hpp"\n',
    "hg/include/mercury.h": '#include <na.h>\n#ifdef HG_HAS_BOOST\n#endif\n',
    "hg/core/handle.hpp": '#include "na/base/result.hpp"\n#include "mercury.h"\n',
    "bulk/include/mercury_bulk.h": '#include "mercury.h"\n',
    "bulk/overflow.cpp": '#include "hg/core/handle.hpp"\n',
    "hl/include/mercury_macros.h": '#include "mercury_bulk.h"\n',
    "plugins/sm/ring.hpp": '#include "na/sdk/host.hpp"\n#ifdef NA_SM_HAS_CMA\n#endif\n',
    "plugins/tcp/frame.hpp": '#include "na_plugin.h"\n',
    "examples/common.h": "#include <mercury.h>\n",
    "examples/01_hello/hello.c": '#include "common.h"\n',
}


class RuleTest(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)

    def problems(self, rule, files):
        for path, text in files.items():
            whole = os.path.join(self.root, path)
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            with open(whole, "w", encoding="utf-8") as file:
                file.write(text)
        return rule.check(Tree(self.root))

    def assert_found(self, rule, path, text, part):
        problems = self.problems(rule, {path: text})
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(path, problems[0])
        self.assertIn(part, problems[0])


class Layering(RuleTest):
    def setUp(self):
        super().setUp()
        self.assertEqual(self.problems(layering, GOOD), [])

    def test_what_breaks_it(self):
        samples = {
            "na/core/up.cpp": '#include "hg/core/handle.hpp"\n',
            "na/core/up_public.cpp": "#include <mercury.h>\n",
            "na/base/up_inside.hpp": '#include "na/core/class.hpp"\n',
            "na/sdk/up_inside.hpp": '#include "na/core/class.hpp"\n',
            "hg/core/up.cpp": '#include "bulk/overflow.hpp"\n',
            "hg/core/up_public.cpp": '#include "mercury_bulk.h"\n',
            "hg/core/private_of_na.cpp": '#include "na/core/class.hpp"\n',
            "hg/core/plugin.cpp": '#include "plugins/sm/ring.hpp"\n',
            "hg/core/neighbour.cpp": '#include "handle.hpp"\n',
            "bulk/private_of_na.cpp": '#include "na/core/class.hpp"\n',
            "hl/private_of_hg.cpp": '#include "hg/core/handle.hpp"\n',
            "plugins/sm/other_plugin.cpp": '#include "plugins/tcp/frame.hpp"\n',
            "plugins/sm/core.cpp": '#include "na/core/class.hpp"\n',
            "plugins/sm/api.cpp": '#include "na.h"\n',
            "plugins/sm/rpc.cpp": '#include "mercury.h"\n',
            "hg/include/private.h": '#include "hg/core/handle.hpp"\n',
            "examples/01_hello/private.c": '#include "hg/core/handle.hpp"\n',
            "examples/05_plugin/private.cpp": '#include "na/core/class.hpp"\n',
            "util/strange.cpp": '#include "mercury.h"\n',
        }
        self.problems(layering, {"bulk/overflow.hpp": ""})
        for path, text in samples.items():
            with self.subTest(path):
                self.assert_found(layering, path, text, ":1:")
                os.remove(os.path.join(self.root, path))

    def test_a_condition_that_names_a_plugin(self):
        for line in ("#ifdef NA_HAS_SM", "#if defined(NA_HAS_OFI)", "# elif USE_TCP_NODELAY",
                     "#ifndef HG_UCX"):
            with self.subTest(line):
                self.assert_found(layering, "hg/core/x.cpp", line + "\n", "names a plugin")


class Form(RuleTest):
    def test_what_obeys(self):
        self.assertEqual(self.problems(form, {
            "a.cpp": MARK + "int x;\n" * (form.MAX_LINES - 1),
            "a.hpp": MARK + "#pragma once\n",
            "a.h": MARK + "#ifndef A_H\n#define A_H\n#endif\n",
            "run": "#!/bin/sh\n# SPDX-License-Identifier: BSD-3-Clause\n",
            "Makefile": "# SPDX-License-Identifier: BSD-3-Clause\nall:\n\ttrue\n",
        }), [])

    def test_no_licence(self):
        self.assert_found(form, "a.cpp", "int x;\n", "licence")

    def test_no_licence_in_a_script(self):
        self.assert_found(form, "tests/run", "#!/bin/sh\ntrue\n", "licence")

    def test_too_long(self):
        self.assert_found(form, "a.cpp", MARK + "int x;\n" * form.MAX_LINES, "501 lines")

    def test_tab(self):
        self.assert_found(form, "a.cpp", MARK + "\tint x;\n", "a tab")

    def test_blanks_at_the_end(self):
        self.assert_found(form, "a.md", "text  \n", "blanks")

    def test_no_end_of_line(self):
        self.assert_found(form, "a.md", "text", "does not end")

    def test_no_pragma(self):
        self.assert_found(form, "a.hpp", MARK, "#pragma once")

    def test_no_guard(self):
        self.assert_found(form, "a.h", MARK + "#ifndef A_H\n#define B_H\n#endif\n", "guard")


class Format(RuleTest):
    @unittest.skipIf(shutil.which("clang-format") is None, "there is no clang-format")
    def test_what_breaks_it(self):
        self.assertEqual(self.problems(formatting, {
            ".clang-format": "BasedOnStyle: Google\n", "good.c": "int x;\n"}), [])
        self.assert_found(formatting, "bad.c", "int   x;\n", "clang-format")


class Links(RuleTest):
    def test_what_obeys(self):
        self.assertEqual(self.problems(links, {
            "docs/a.md": "# A title: yes\n[a](b.md) [b](../README.md#the-top) [c](#a-title-yes)\n"
                         "[d](https://example.org/x) `[e](nowhere)`\n```\n[f](nowhere)\n```\n",
            "docs/b.md": "b\n",
            "README.md": "# The top\n",
        }), [])

    def test_leads_nowhere(self):
        self.assert_found(links, "docs/a.md", "[a](gone.md)\n", "leads nowhere")

    def test_names_no_heading(self):
        self.assert_found(links, "docs/a.md", "# One\n[a](#two)\n", "names no heading")


class Walk(RuleTest):
    def test_what_is_built_is_not_looked_at(self):
        self.assertEqual(self.problems(form, {"build/a.cpp": "\t", "build-x/a.cpp": "\t"}), [])


if __name__ == "__main__":
    sys.exit(unittest.main())
