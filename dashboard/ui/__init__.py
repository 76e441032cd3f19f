"""What the pages share: session state, links, theme mode, progress and widgets."""
