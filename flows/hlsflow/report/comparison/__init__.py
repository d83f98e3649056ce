"""Designs side by side, and against what was promised of them."""
