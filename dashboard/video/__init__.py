"""The page for one video: its source, its timeline, and what the timeline shows as a whole."""
