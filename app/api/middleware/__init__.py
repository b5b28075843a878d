"""ASGI middleware: request log, security headers, cross-origin checks, authentication, rate limits, body limits."""
