"""A copy that was edited by hand → upstream's version and the smallest customizations that give it back."""
