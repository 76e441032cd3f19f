"""The sidebar on a phone, where it covers the page."""

from __future__ import annotations

import streamlit as st

# Streamlit leaves the sidebar open, and opens it again in the next visit, if it was open in the last one.
CLOSE = """
export default function () {
  let page = null;
  const check = () => {
    if (page === location.pathname) return;
    page = location.pathname;
    const sidebar = document.querySelector('[data-testid="stSidebar"]');
    if (matchMedia("(max-width: 768px)").matches && sidebar?.getBoundingClientRect().right > 0)
      sidebar.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  };
  check();
  const timer = setInterval(check, 200);
  return () => clearInterval(timer);
}
"""
_closer = st.components.v2.component("ferscope_phone_sidebar", js=CLOSE)


def close_sidebar() -> None:
    """Close the sidebar of a phone when a page is opened. Call it on every page."""
    _closer(key="phone-sidebar", height=1)
