"""What the integration tests stand on: servers, clients and oracles."""
