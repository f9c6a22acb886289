"""Thalweg: deep learning on JAX."""
