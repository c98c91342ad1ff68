"""Running Guildhall on one machine: the embedded database, `make run`, `make test`."""
