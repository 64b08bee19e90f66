# SPDX-License-Identifier: BSD-3-Clause
"""Includes go down: na <- hg <- bulk <- hl, and plugins hang off na only and never see each other.

Between libraries only public headers (those in an include/ folder) are seen, and na/base, which is
stateless. No preprocessor condition names a plugin outside the plugin's folder.
"""
import re

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
CONDITION = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b(.*)")
NAMES_PLUGIN = re.compile(r"(^|[^A-Za-z0-9])([A-Za-z0-9]+_)*(SM|TCP|OFI|UCX)(_|\b)", re.IGNORECASE)

# What each place may include: folders, and the layers whose public headers it may see.
MAY_INCLUDE = {
    "na/base": (["na/base"], ["na"]),
    "na/sdk": (["na/sdk", "na/base"], ["na"]),
    "na": (["na"], ["na"]),
    "hg": (["hg", "na/base"], ["hg", "na"]),
    "bulk": (["bulk", "hg", "na/base"], ["bulk", "hg", "na"]),
    "hl": (["hl", "na/base"], ["hl", "bulk", "hg", "na"]),
    "examples": (["examples"], ["hl", "bulk", "hg", "na"]),
    # A plugin from outside: it sees what is installed for plugin authors.
    "examples/05_plugin": (["examples/05_plugin", "na/sdk", "na/base"], ["na"]),
}
PLUGIN_HEADERS = {"na_plugin.h", "na_types.h", "na_config.h"}
LAYERS = ("na", "hg", "bulk", "hl")


def check(tree):
    public = _public_headers(tree)
    problems = []
    for path in tree.sources():
        if path.startswith("tests/"):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            where = f"{path}:{number}"
            found = INCLUDE.match(line)
            if found:
                problem = _include_problem(tree, path, found.group(1), found.group(2), public)
                if problem:
                    problems.append(f"{where}: {problem}")
            found = CONDITION.match(line)
            guard = path.split("/")[-1].replace(".", "_").upper()
            if found and found.group(2).strip() == guard:
                continue
            if found and not path.startswith("plugins/") and NAMES_PLUGIN.search(found.group(2)):
                problems.append(f"{where}: a condition names a plugin: {line.strip()}")
    return problems


def _public_headers(tree):
    """Maps the bare name of each public header to the layer that owns it."""
    owners = {}
    for path in tree.ending_in(".h", ".h.in", ".hpp"):
        layer = path.split("/")[0]
        if layer in LAYERS and path.startswith(f"{layer}/include/"):
            name = path[len(f"{layer}/include/"):]
            owners[name[:-3] if name.endswith(".in") else name] = layer
    return owners


def _include_problem(tree, path, quote, name, public):
    if path.startswith("plugins/"):
        plugin = "/".join(path.split("/")[:2])
        folders, layers = [plugin, "na/sdk", "na/base"], ["na"]
    else:
        place = max((key for key in MAY_INCLUDE if path.startswith(key + "/")), key=len, default=None)
        if place is None:
            return f"{path.split('/')[0]} is not a layer"
        folders, layers = MAY_INCLUDE[place]

    if name in public:
        if public[name] not in layers:
            return f"includes {name}, which belongs to {public[name]}"
        if path.startswith("plugins/") and name not in PLUGIN_HEADERS:
            return f"a plugin includes {name}; it may see {', '.join(sorted(PLUGIN_HEADERS))}"
        return None
    if quote == "<":
        return None
    if path.startswith("examples/") and "/" not in name:
        return None
    if "/include/" in path or path.split("/")[1] == "include":
        return f"a public header includes {name}, which is private"
    if not tree.exists(name):
        return f"includes {name}, which is not a path from the root"
    if not any(name.startswith(folder + "/") for folder in folders):
        return f"includes {name}; it may include {', '.join(folders)} and public headers below"
    return None
