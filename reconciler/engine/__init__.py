"""Carries a plan out: steps, leases and the local pool. Knows ports (Protocols), never a driver.

A plan's changes come in, one report with an outcome for each district goes out: one district's trouble
stays its own."""

from __future__ import annotations
