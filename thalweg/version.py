"""The version, written once: the build reads it here, and so does the public face."""

__version__ = "0.1.0"
