"""The Compare page: networks side by side, one module per panel."""
