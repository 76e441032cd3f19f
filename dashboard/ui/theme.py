"""Light or dark, as the visitor has chosen."""

from __future__ import annotations

import streamlit as st

from dashboard.style import DARK, LIGHT, Ink

# Streamlit does not run the script when the theme changes, but figures get their colors from it.
WATCH = """
let drawn = null;
export default function ({ setTriggerValue }) {
  const check = () => {
    const paper = getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor;
    if (drawn !== null && paper !== drawn) setTriggerValue("changed", paper);
    drawn = paper;
  };
  check();
  const timer = setInterval(check, 500);
  return () => clearInterval(timer);
}
"""
_watcher = st.components.v2.component("ferscope_theme", js=WATCH)


def ink() -> Ink:
    """The ink colors for the visitor's theme."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def follow() -> None:
    """Draw the page again when the visitor changes the theme."""
    _watcher(key="theme", height=1, on_changed_change=lambda: None)
