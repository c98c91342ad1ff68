"""Write `docs/openapi.yaml`, or tell whether it says what the code says."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

FILE = settings.BASE_DIR / "docs" / "openapi.yaml"


def describe() -> bytes:
    """The API description as the views have it now. Raises CommandError where a view is not described whole."""
    GENERATOR_STATS.reset()
    GENERATOR_STATS.enable_trace_lineno()
    with GENERATOR_STATS.silence():
        schema = SchemaGenerator().get_schema(request=None, public=True)
    found = [*GENERATOR_STATS._error_cache, *GENERATOR_STATS._warn_cache]
    if found:
        raise CommandError("These views are not described whole:\n" + "\n".join(sorted(found)))
    validate_schema(schema)
    return bytes(OpenApiYamlRenderer().render(schema, renderer_context={}))


class Command(BaseCommand):
    help = "Write docs/openapi.yaml; with --check, fail when it is stale."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail when the file is stale")

    def handle(self, *args: Any, **options: Any) -> None:
        described = describe()
        if not options["check"]:
            FILE.write_bytes(described)
        elif not FILE.exists() or FILE.read_bytes() != described:
            raise CommandError("docs/openapi.yaml is stale; run make openapi and commit it.")
