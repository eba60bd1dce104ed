"""Sphinx configuration. Build with: sphinx-build -W --keep-going -b html docs docs/_build/html."""

from typing import Any

import skrec

project = "skrec"
author = copyright = "The skrec developers"  # noqa: A001 (Sphinx's name)
release = version = skrec.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}
suppress_warnings = ["ref.term"]  # properties of scikit-learn's searches refer to its glossary
nitpicky = False  # objects of other projects are not looked up: a build needs no network

html_theme = "furo"
html_title = f"skrec {release}"
html_copy_source = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autosummary_ignore_module_all = False  # what is public is what __all__ lists
autodoc_typehints = "none"  # the docstrings tell the types
autodoc_inherit_docstrings = True
numpydoc_show_class_members = False  # autodoc lists them


def skip_members_of_scikit_learn(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:  # noqa: PLR0917
    """Leave out what estimators inherit from scikit-learn, such as get_params: it is documented there."""
    module = getattr(obj, "__module__", None) or getattr(getattr(obj, "fget", None), "__module__", "")
    return True if str(module).startswith("sklearn.") else None


def setup(app: Any) -> None:
    """Connect the function above; Sphinx calls this."""
    app.connect("autodoc-skip-member", skip_members_of_scikit_learn)
