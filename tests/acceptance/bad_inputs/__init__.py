"""Inputs that must each have a stated outcome. The numbers are those of the list they come from."""

from __future__ import annotations
