"""``pr``: changes judged, reviewed and handed to a forge."""
