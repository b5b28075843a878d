"""`python -m app`: serve until interrupted."""

import logging
import sys

import uvicorn
from pydantic import ValidationError

from app.main import create_app
from app.sandbox import SandboxError
from app.settings import Settings
from model_store.errors import StoreError


def main() -> int:
    """Run the service; a start that cannot succeed says why in one line and returns 2."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s:     %(message)s")
    try:
        settings = Settings()
        app = create_app(settings)
    except ValidationError as error:
        for fault in error.errors():
            print(f"error: LILT_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        return 2
    except (StoreError, SandboxError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    uvicorn.run(app, host=settings.host, port=settings.port, timeout_graceful_shutdown=30)
    return 0


if __name__ == "__main__":
    sys.exit(main())
