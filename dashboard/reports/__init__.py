"""Comparisons and faces as self-contained HTML files."""
