"""Versions that wait for nothing but their age."""

from __future__ import annotations

from upstreamsync.model import Finding


def waiting(finding: Finding) -> list[str]:
    """Which versions wait for nothing but their age, and until when; those of images, too."""
    passed = [*finding.passed_over, *(one for image in finding.images for one in image.passed_over)]
    return list(
        dict.fromkeys(
            f"{one.version} waits until {one.until:%Y-%m-%d %H:%M} UTC: {one.reason}"
            for one in passed
            if one.until is not None
        )
    )
