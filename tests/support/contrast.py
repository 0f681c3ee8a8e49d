"""Contrast of two colours, as the Web Content Accessibility Guidelines define it: from 1 to 21."""

from matplotlib.colors import to_rgb

__all__ = ["contrast"]


def luminance(colour) -> float:
    """Relative luminance of a colour (WCAG 2.1)."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other="white") -> float:
    """Contrast ratio; text needs 4.5 and lines 3."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
