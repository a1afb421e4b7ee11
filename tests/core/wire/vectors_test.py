#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The vectors are what their independent encoder writes: nobody edited one to suit the code."""
import pathlib
import subprocess
import sys
import tempfile

folder = pathlib.Path(__file__).resolve().parents[2] / "data" / "wire"
with tempfile.TemporaryDirectory() as fresh:
    subprocess.run([sys.executable, folder / "make_vectors.py", fresh], check=True)
    written = sorted(path.name for path in pathlib.Path(fresh).iterdir())
    differing = [name for name in written if (folder / name).read_bytes() != (pathlib.Path(fresh) / name).read_bytes()]
unknown = {path.name for path in folder.glob("*.hex")} - set(written) - {"rfc1071.hex"}
for name in differing:
    print(f"{name} is not what make_vectors.py writes")
for name in unknown:
    print(f"{name} has no source")
print(f"{len(written)} vectors compared")
sys.exit(1 if differing or unknown or not written else 0)
