# SPDX-License-Identifier: BSD-3-Clause
"""Unpacks the one Debian package in a folder into its subfolder root, and checks what it says."""
import pathlib
import subprocess
import sys

folder = pathlib.Path(sys.argv[1])
(package,) = folder.glob("cinnabar_*.deb")


def field(name):
    return subprocess.check_output(["dpkg-deb", "-f", package, name], text=True).strip()


subprocess.check_call(["dpkg-deb", "-x", package, folder / "root"])
problems = [f"{name} is {field(name)!r}" for name, part in
            [("Package", "cinnabar"), ("Version", "2.4"), ("Depends", "libc6"), ("Depends", "libboost-dev"),
             ("Description", "RPC")] if part not in field(name)]
usr = folder / "root" / "usr"
problems += [f"{path} is missing" for path in
             ["include/mercury.h", "include/na.h", "share/cmake/mercury/mercury-config.cmake"]
             if not (usr / path).exists()]
for name in ["libmercury.so.2", "libna.so.6", "libna_plugin_tcp.so", "libna_plugin_sm.so", "pkgconfig/mercury.pc"]:
    if not list(usr.glob(f"lib/**/{name}")):
        problems.append(f"{name} is missing")
# A prefix of this machine would be looked for on the next one.
problems += [f"{path} names {folder}" for path in usr.rglob("*")
             if path.suffix in (".cmake", ".pc", ".h") and str(folder.parent) in path.read_text()]
sys.exit("\n".join(problems) or 0)
