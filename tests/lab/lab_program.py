# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the lab is, for its tests."""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAB = os.path.join(ROOT, "host", "lab")
RUN_LAB = os.path.join(LAB, "run-lab")
SKIPPED = 77

sys.path.insert(0, LAB)
sys.dont_write_bytecode = True
