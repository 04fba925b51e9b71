"""Writes and rewrites district files, as texts: comments stay, and the meaning never changes unasked.

    format_text(text, …)           canonical order, quoting and spacing
    add_schools(text, …)           schools added to a file, all else as it was
    district_text(district, …)     a new file for a district

Whatever is written is read back by the strict reader before it is handed out.
"""

from __future__ import annotations
