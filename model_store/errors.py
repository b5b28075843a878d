"""Every error the model store raises.

StoreError
├── UnknownCharacterError   a text holds a character that the model was not trained on
├── CheckpointNotFoundError no such store, name or version
├── InvalidCheckpointError  a file is missing, truncated, altered or unreadable
├── NewerFormatError        the checkpoint was written by a later Lilt
└── PublishError            the checkpoint that was offered cannot be published
"""


class StoreError(Exception):
    """Base of every error in this package; its text is fit for a user."""


class UnknownCharacterError(StoreError):
    """A character outside the vocabulary, with its place in the text (0-based)."""

    def __init__(self, character: str, position: int) -> None:
        self.character = character
        self.position = position
        super().__init__(f"character {character!a} at position {position} is not in the model's vocabulary")


class CheckpointNotFoundError(StoreError):
    """There is no such store, name or version."""


class InvalidCheckpointError(StoreError):
    """A checkpoint that must not be used: a file is missing, truncated, altered or unreadable."""


class NewerFormatError(StoreError):
    """A checkpoint in a format later than this code reads."""


class PublishError(StoreError):
    """What was offered for publication does not make a whole checkpoint."""
