"""Files written for people: what is asked first, what a server tells, and how they reach the disk."""

from __future__ import annotations
