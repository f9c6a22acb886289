"""Texts into texts of another language."""
