"""Pictures into classes: pixels as people keep them, a picture a row."""
