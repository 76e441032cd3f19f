"""The sidebar on a phone, where it covers the page."""

from __future__ import annotations

import streamlit as st

# Streamlit leaves the sidebar open when another page is opened, and restores it on the next visit, sometimes after the
# page is already drawn. So the script closes it repeatedly until the first touch or key press. Up to 768 px, Streamlit
# draws the sidebar over the page.
CLOSE = """
export default function () {
  let page = null, touched = false;
  const touch = () => { touched = true; };
  const check = () => {
    if (page !== location.pathname) {
      page = location.pathname;
      touched = false;
    }
    const sidebar = document.querySelector('[data-testid="stSidebar"]');
    if (!touched && matchMedia("(max-width: 768px)").matches && sidebar?.getBoundingClientRect().right > 0)
      sidebar.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  };
  check();
  const timer = setInterval(check, 200);
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, touch, true);
  return () => {
    clearInterval(timer);
    for (const kind of ["pointerdown", "keydown"]) document.removeEventListener(kind, touch, true);
  };
}
"""
_closer = st.components.v2.component("ferscope_phone_sidebar", js=CLOSE)


def close_sidebar() -> None:
    """Close the sidebar of a phone when a page is opened. Call it on every page."""
    _closer(key="phone-sidebar", height=1)
