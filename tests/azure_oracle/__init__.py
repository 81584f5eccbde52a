"""Whether what goes over the wire is what Microsoft publishes: exchanges held against its Swagger files."""
