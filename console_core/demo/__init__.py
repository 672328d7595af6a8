"""The built-in demo: pictures, two small trained models, a ready workspace."""
