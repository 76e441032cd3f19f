"""Many photos at once: the files of a source -> rows in a table, resumable, on one machine or on several."""
