"""Models as files: the model file `.tw` and the formats other systems read."""
