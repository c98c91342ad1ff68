"""The base of every `XIn` and `XOut`: unknown keys are refused, and problems name their field by path."""

import re
from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.core.errors import FieldError, Invalid
from api.core.money import MAX_AMOUNT

NOT_ONE_LINE = "This must be one line, without control characters and marks that change the direction of writing."
# Control characters, line ends, and what embeds, overrides or isolates a direction (UAX #9): with those a name can
# reorder the words around it. Joiners stay, because emoji and many scripts need them. NUL has an
# error of its own, in every text.
_NOT_IN_LINE = re.compile("[\x01-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def is_one_line(text: str) -> bool:
    """Whether `text` can stand among other words as a name does."""
    return not _NOT_IN_LINE.search(text)


class LineField(serializers.CharField):
    """A name, title or note of one line, shown among other words."""

    default_error_messages = {"not_one_line": NOT_ONE_LINE}

    def to_internal_value(self, data: Any) -> str:
        value: str = super().to_internal_value(data)
        if not is_one_line(value):
            self.fail("not_one_line")
        return value


@extend_schema_field({"type": "object", "additionalProperties": True})
class ObjectField(serializers.JSONField):
    """A JSON object, such as an input or an answer; what may be in it, the project's schemas say."""


class MoneyOut(serializers.Serializer):
    amount = serializers.IntegerField(help_text="Minor units: 15 is $0.15.")
    currency = serializers.CharField(help_text="ISO 4217, such as USD.")


class MoneyIn(serializers.Serializer):
    amount = serializers.IntegerField(min_value=0, max_value=MAX_AMOUNT, help_text="Minor units: 15 is $0.15.")
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", help_text="ISO 4217, such as USD.")


class SecondsField(serializers.IntegerField):
    """A duration: whole seconds outside, `timedelta` inside. Bounds are in seconds."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return timedelta(seconds=value) if isinstance(value, int) else value

    def to_representation(self, value: Any) -> int:
        return int(value.total_seconds()) if isinstance(value, timedelta) else int(value)


class Out(serializers.Serializer):
    """The shape of an answer."""


class TimeOut(Out):
    now = serializers.DateTimeField()


class In(serializers.Serializer):
    """The shape of a body or a query. Use `In.read(data)`; it raises `Invalid` with every problem at once."""

    @classmethod
    def read(cls, data: Any, *, partial: bool = False) -> dict[str, Any]:
        if hasattr(data, "dict"):
            data = data.dict()
        if not isinstance(data, dict):
            raise Invalid(errors=[FieldError("", "The body must be a JSON object.")])
        form = cls(data=data, partial=partial)
        errors = _unknown(form, data)
        if not form.is_valid():
            errors += _flatten(form.errors)
        if errors:
            raise Invalid(errors=errors)
        return dict(form.validated_data)


def _unknown(form: serializers.Serializer, data: dict[str, Any], path: str = "") -> list[FieldError]:
    found = []
    for name, value in data.items():
        field = form.fields.get(name)
        if field is None or field.read_only:
            found.append(FieldError(path + str(name), "There is no such field here.", "unknown_field"))
        elif isinstance(field, serializers.Serializer) and isinstance(value, dict):
            found += _unknown(field, value, f"{path}{name}.")
    return found


def _flatten(errors: Any, path: str = "") -> list[FieldError]:
    if isinstance(errors, dict):
        items = errors.items()
    elif errors and isinstance(errors[0], dict):
        items = ((str(index), error) for index, error in enumerate(errors) if error)
    else:
        return [FieldError(path, str(error), getattr(error, "code", "invalid")) for error in errors]
    found = []
    for name, value in items:
        place = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
        found += _flatten(value, place)
    return found


class DecisionOut(Out):
    """What was decided about an answer."""

    category = serializers.CharField(allow_blank=True, help_text="Of a rejection; else empty.")
    comment = serializers.CharField(allow_blank=True)
    by_clock = serializers.BooleanField()


class MoveOut(Out):
    """One change of an assignment's state."""

    to = serializers.CharField(help_text="The state it came into.")
    at = serializers.DateTimeField()
    by = serializers.ChoiceField(choices=["worker", "requester", "clock"])
    why = serializers.CharField(allow_blank=True)
