"""The body of every error: RFC 9457 problem details."""

from pydantic import BaseModel, Field


class ProblemFault(BaseModel):
    """One field or place that is at fault."""

    message: str
    field: str | None = None
    position: int | None = None
    line: int | None = None
    column: int | None = None
    bar: int | None = None


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = Field(default=None, description="What the service's log calls this request.")
    errors: list[ProblemFault] | None = None
