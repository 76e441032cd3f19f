"""Many photos at once: the batch of a session, its faces in a table, and how the expressions are distributed."""
