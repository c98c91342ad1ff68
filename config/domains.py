"""The domains, from the ground up. A new one is a folder under `api/` and one line here."""

DOMAINS = [
    "core",
    "accounts",
    "realtime",
    "messaging",
    "ledger",
    "collectives",
    "projects",
    "work",
    "results",
    "reviews",
]
