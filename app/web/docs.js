// The interactive page of the HTTP interface, drawn by Swagger UI from the service's own OpenAPI document.
const spec = await (await fetch("openapi.json")).json();
const here = new URL(".", location.href).pathname.replace(/\/$/, "") || "/"; // a proxy may serve all under a path
window.SwaggerUIBundle({ spec: { ...spec, servers: [{ url: here }] }, dom_id: "#swagger-ui" });
