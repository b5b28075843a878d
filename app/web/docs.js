// The interactive page of the HTTP interface, drawn by Swagger UI from the service's own OpenAPI document.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui" });
