"""From effects before and after an update to verdicts."""
