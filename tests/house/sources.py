# SPDX-License-Identifier: GPL-2.0-or-later
"""The project's files, and C++ text without its comments and literals."""

import os
import re

SKIPPED_FOLDERS = {".git", "build", "__pycache__", "node_modules"}
CPP_SUFFIXES = (".h", ".cpp", ".cc", ".hpp")


def files(root):
    """Paths of all files below root, relative to it, with '/', in order."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS and not f.startswith("build-"))
        for name in sorted(names):
            found.append(os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/"))
    return found


def cpp_files(root):
    return [path for path in files(root) if path.endswith(CPP_SUFFIXES)]


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


# In this order, since each may contain the beginning of another.
_LITERAL_OR_COMMENT = re.compile(
    r"""
      (?P<raw>    R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)")
    | (?P<block>  /\*.*?\*/)
    | (?P<line>   //(?:\\\n|[^\n])*)
    | (?P<string> "(?:\\.|[^"\\\n])*")
    | (?P<char>   (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')
    """,
    re.VERBOSE | re.DOTALL,
)


def without_comments(text, keep_strings=True):
    """C++ text with comments blanked out (strings too, if asked), each line keeping its number."""

    def blank(match):
        if match.lastgroup == "mark" or match.group("raw") or match.group("string") or match.group("char"):
            if keep_strings:
                return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))

    return _LITERAL_OR_COMMENT.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
