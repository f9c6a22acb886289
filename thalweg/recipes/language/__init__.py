"""Language models: characters or words, and what comes next."""
