#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The vectors are what their independent encoder writes, and docs/wire.md quotes them: nobody edited one to suit the code."""
import pathlib
import re
import subprocess
import sys
import tempfile

folder = pathlib.Path(__file__).resolve().parents[2] / "data" / "wire"
with tempfile.TemporaryDirectory() as fresh:
    subprocess.run([sys.executable, folder / "make_vectors.py", fresh], check=True)
    written = sorted(path.name for path in pathlib.Path(fresh).iterdir())
    differing = [name for name in written if (folder / name).read_bytes() != (pathlib.Path(fresh) / name).read_bytes()]
unknown = {path.name for path in folder.glob("*.hex")} - set(written) - {"rfc1071.hex"}

# `name.hex`: `bytes` on the same line or the next, or a block of bytes alone behind a paragraph that ends with the name.
page = (folder.parents[2] / "docs" / "wire.md").read_text()
quotes = re.findall(r"`(\w+)\.hex`:\s+`([0-9a-f ]+)`", page)
quotes += re.findall(r"`(\w+)\.hex`[^`:]*:\n\n```\n([0-9a-f \n]+)```", page)
for name, text in quotes:
    lines = (folder / f"{name}.hex").read_text().splitlines()
    if bytes.fromhex(text) != bytes.fromhex("".join(lines[1:])):
        differing.append(f"{name} in docs/wire.md")
mentioned = set(re.findall(r"`(\w+)\.hex`", page))
for name in sorted(mentioned - {path.stem for path in folder.glob("*.hex")}):
    unknown.add(f"{name}.hex in docs/wire.md")
for name in differing:
    print(f"{name} is not what make_vectors.py writes")
for name in unknown:
    print(f"{name} has no source")
print(f"{len(written)} vectors compared, {len(quotes)} quoted by docs/wire.md")
sys.exit(1 if differing or unknown or not written or not quotes else 0)
