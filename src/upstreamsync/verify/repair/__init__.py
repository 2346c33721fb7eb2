"""Corrections of a customization that are mechanical."""
