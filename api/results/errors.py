"""The cases of results that a caller must tell apart."""

from api.core.errors import Invalid


class UnknownKey(Invalid):
    code = "unknown_key"
    message = "The answers of this project have no such key."


class TooManyLabels(Invalid):
    code = "too_many_labels"
    message = "There are too many different labels for Dawid–Skene. Use the majority."
