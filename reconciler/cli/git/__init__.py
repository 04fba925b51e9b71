"""What is asked of git: commits, their order, what a branch touches. Nothing else runs a program."""

from __future__ import annotations
