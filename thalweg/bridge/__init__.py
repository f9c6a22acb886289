"""Bridges: networks of other libraries as Thalweg's two functions. Each imports its library when it is used."""

from thalweg.bridge.equinox import EquinoxNetwork
from thalweg.bridge.flax import FlaxNetwork

__all__ = ["EquinoxNetwork", "FlaxNetwork"]
