"""Results -> Plotly figures and tables. No Streamlit here, so every figure can be tested without a page."""
