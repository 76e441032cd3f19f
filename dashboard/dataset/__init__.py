"""The Dataset page: one module per panel."""
