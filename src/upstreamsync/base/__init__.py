"""The pristine base layer: select, split, lay out, and the change that brings it to disk."""
