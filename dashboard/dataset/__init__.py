"""The Dataset page: what is known of a data set, one module per panel."""
