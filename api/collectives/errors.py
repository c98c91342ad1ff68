"""What a charter answers when it does not say yes."""

from api.core.errors import NotAllowed


class Denied(NotAllowed):
    code = "denied"
    message = "The collective's rules do not let you do this."
