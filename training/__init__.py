"""From tunebooks to a published checkpoint: everything that happens before the service starts."""
