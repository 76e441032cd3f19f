"""Figures of Compare's views: results -> Plotly, and the numbers behind each as a table. No Streamlit here."""
