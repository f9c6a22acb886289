"""Sound: recordings into classes, and into the text that is said in them."""
