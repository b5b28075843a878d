"""A trained run as a checkpoint of the store: export, model card, index of known tunes."""
