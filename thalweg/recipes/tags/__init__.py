"""A tag for each word of a sentence: the entities in it."""
