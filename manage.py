#!/usr/bin/env python
"""Django's command line for Guildhall."""

import os
import sys

# Commands that work on files alone. No installation is needed for them, so neither are its secret and hosts.
ON_FILES = {"aggregate", "makemigrations", "openapi", "startdomain"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] and sys.argv[1] in ON_FILES:
        os.environ.setdefault("GUILDHALL_MODE", "local")
        os.environ.setdefault("SECRET_KEY", "nothing is signed with it")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
