"""What is wrong with the law's files, or with what is asked of them."""

from __future__ import annotations


class BadLaw(Exception):
    """A law file is malformed, or there is no value for the name and day asked; the text says where."""
