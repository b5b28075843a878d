"""The HTTP interface: application, routes, schemas, middleware, static pages and start-up checks."""
