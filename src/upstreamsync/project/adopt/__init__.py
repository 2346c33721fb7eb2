"""``adopt``: a copy that was edited by hand becomes a pristine base and the customizations upon it."""
