"""Users, the applications they let in, and what they allowed each."""

import re
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now
from oauth2_provider.models import AbstractApplication

from api.core.ids import uuid7


class UserManager(BaseUserManager["User"]):
    """Makes users as Django's own commands expect to."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """An operator. Whoever makes one at the server's console vouches for the address."""
        from allauth.account.models import EmailAddress  # needs the users' model

        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """One person, who may work, request, and belong to many collectives.

    Inserting a row also makes the user's solo collective, whose id is the user's id (a trigger in `collectives`).
    """

    class Theme(models.TextChoices):
        SYSTEM = "system"
        LIGHT = "light"
        DARK = "dark"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=80, blank=True)
    locale = models.CharField(max_length=16, default="en")
    timezone = models.CharField(max_length=64, default="UTC")
    theme = models.CharField(max_length=6, choices=Theme, default=Theme.SYSTEM)
    uses = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case")
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def shown_name(self) -> str:
        """What others read: the name the user chose, never the e-mail address."""
        return self.name or f"User {self.id.hex[-6:]}"


# RFC 8252, section 7.3: only the port of a loopback address is free, because the system picks it.
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?(/.*)?\Z")


class Application(AbstractApplication):
    """A program that acts for users (after their consent) or for its owner (by client credentials).

    `scopes` is the most it may be granted. Empty means: whatever a user agrees to, and nothing by itself.
    `skip_authorization` marks the operator's own applications, which need no consent.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    scopes = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    also_client_credentials = models.BooleanField(default=False)

    class Meta(AbstractApplication.Meta):
        swappable = "OAUTH2_PROVIDER_APPLICATION_MODEL"

    def __str__(self) -> str:
        return self.name or self.client_id

    @property
    def first_party(self) -> bool:
        return self.skip_authorization

    @property
    def grant_types(self) -> list[str]:
        """Of `authorization_code` and `client_credentials`, those it may use."""
        main = self.authorization_grant_type.replace("-", "_")
        extra = "client_credentials"
        return [main, extra] if self.also_client_credentials and main != extra else [main]

    def allows_grant_type(self, *grant_types: str) -> bool:
        return any(kind.replace("-", "_") in self.grant_types for kind in grant_types)

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Whether `uri` is registered, compared as a string.

        The port of a loopback address may differ, but not for a first-party application: it gets a code without
        consent, which another program on the machine must not fetch on a port of its own.
        """
        registered = self.redirect_uris.split()
        if uri in registered:
            return True
        asked = _LOOPBACK.match(uri)
        if self.first_party or not asked or not 0 < int(asked[2] or 80) < 65_536:
            return False
        return any(asked.group(1, 3) == known.group(1, 3) for known in map(_LOOPBACK.match, registered) if known)

    def get_allowed_schemes(self) -> list[str]:
        return [uri.partition(":")[0] for uri in self.redirect_uris.split()]


class Authorisation(models.Model):
    """What a user allowed an application: made with its code, then exchanged, then kept alive by refresh tokens.

    Its id is the `token_family` of those tokens, and its row is the lock of all that happens to them. Codes are
    stored as SHA-256, like tokens.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authorisations")
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="authorisations")
    session = models.ForeignKey(
        "usersessions.UserSession", on_delete=models.SET_NULL, null=True, blank=True, related_name="authorisations"
    )
    scopes = ArrayField(models.CharField(max_length=32), default=list)
    code_checksum = models.CharField(max_length=64, unique=True)
    code_challenge = models.CharField(max_length=43)
    code_expires_at = models.DateTimeField()
    redirect_uri = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    exchanged_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.application_id} for {self.user_id}"
