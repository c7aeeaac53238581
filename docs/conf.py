"""Settings of the documentation site; `make docs` builds it."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE / "_extensions")]
# Notebooks run in a process of their own, which has to find the package too.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(HERE.parent / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
)

project = "jjjpolicy"
author = "The jjjpolicy contributors"
release = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]
version = release
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_nb",
    "data_dictionary",
    "executed",
    "house_drawing",
    "languages",
    "mathml",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "_extensions",
    "_templates",
    "requirements.lock",
    "**.ipynb_checkpoints",
]

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
# Notebooks are committed without outputs; the build runs them, and an error in one fails it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 120
nb_execution_show_tb = True
nb_merge_streams = True
# The other pages of the gallery read files that are not ours to pass on.
executed_pages = [
    "index",
    "tutorial",
    "how-to/coming-from",
    "how-to/few-treated",
    "how-to/odd-panels",
    "how-to/own-policy",
    "how-to/specification-curve",
    "gallery/castle",
    "gallery/medicaid",
    "gallery/organ-donations",
    "gallery/texas",
    "zh/*",
]

autosummary_imported_members = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
html_math_renderer = "mathml"

html_theme = "furo"
html_title = "jjjpolicy"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/language.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
pygments_style = "friendly"
pygments_dark_style = "monokai"
