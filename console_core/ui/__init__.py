"""How it looks. The only importer of streamlit and plotly."""
