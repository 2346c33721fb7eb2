"""Getting both sides of an overlay built, cheaply, and telling which customization did what."""
