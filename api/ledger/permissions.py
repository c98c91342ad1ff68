"""Who may call what in the ledger. Whose purse it is, is asked where the purse is fetched (`owners`)."""

from api.core.permissions import GOVERNED, MEMBER, SIGNED_IN, Row

READ, WRITE = "ledger:read", "ledger:write"

PURSES = {
    "list": Row(SIGNED_IN, READ),
    "retrieve": Row(MEMBER, READ),
    "statement": Row(MEMBER, READ),
}
DEPOSITS = {
    "list": Row(MEMBER, READ),
    "create": Row(GOVERNED, WRITE),
    "cancel": Row(GOVERNED, WRITE),
}
PAYOUTS = {
    "list": Row(MEMBER, READ),
    "create": Row(GOVERNED, WRITE),
    "cancel": Row(GOVERNED, WRITE),
}
PROVIDERS = {"list": Row(SIGNED_IN, READ)}
