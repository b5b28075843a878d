"""The contract between training and the service: what a checkpoint is, and how it is kept."""
