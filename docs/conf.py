# SPDX-License-Identifier: GPL-2.0-or-later
project = "dyetrace"
author = "the dyetrace authors"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
root_doc = "index"
exclude_patterns = ["_build"]
# dyetrace(1): sphinx-build -b man docs OUT
man_pages = [("commands", "dyetrace", "simulate and find the sick links of a data centre", author, 1)]
html_theme = "alabaster"
html_theme_options = {"description": "Which path, link or device is sick?", "page_width": "1100px", "fixed_sidebar": True}
html_show_copyright = False
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Guides point into the source tree; those links are for readers of the repository.
suppress_warnings = ["myst.xref_missing"]
