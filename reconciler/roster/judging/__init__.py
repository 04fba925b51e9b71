"""From mapped rows to verdicts: judged, folded, kept, compared with what is stored, and accounted for."""
