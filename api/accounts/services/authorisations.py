"""What users allow applications: making it, exchanging its code, ending it.

The row of the authorisation is locked before any of its tokens, so two requests with one code or one refresh token
cannot both win, and cannot deadlock.
"""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from oauth2_provider.models import AccessToken, RefreshToken

from api.accounts.models import Application, Authorisation, User

SWEEP = 1000
CODE_LASTS = timedelta(seconds=60)


def checksum(text: str) -> str:
    """How codes and tokens are stored: SHA-256 in hexadecimal. They are random, so no salt is needed."""
    return sha256(text.encode()).hexdigest()


@transaction.atomic
def authorise(
    *,
    user: User,
    application: Application,
    redirect_uri: str,
    scopes: list[str],
    code_challenge: str,
    session_key: str | None,
) -> str:
    """Let `application` act for `user`; answer the code that it exchanges for tokens within a minute."""
    code = secrets.token_urlsafe(32)
    Authorisation.objects.create(
        user=user,
        application=application,
        session=UserSession.objects.filter(session_key=session_key, user_id=user.pk).first(),
        scopes=scopes,
        code_checksum=checksum(code),
        code_challenge=code_challenge,
        code_expires_at=timezone.now() + CODE_LASTS,
        redirect_uri=redirect_uri,
    )
    return code


@transaction.atomic
def take_code(*, code: str, application_id: UUID, redirect_uri: str | None) -> Authorisation | None:
    """Lock the authorisation that `code` belongs to, or answer None when the code is not good.

    A code that was exchanged before ends the authorisation it made: one of the two who had it stole it.
    """
    authorisation = _lock(code_checksum=checksum(code), application_id=application_id)
    if authorisation is None or authorisation.ended_at is not None:
        return None
    if authorisation.exchanged_at is not None:
        _end([authorisation])
        return None
    if authorisation.code_expires_at <= timezone.now() or authorisation.redirect_uri != redirect_uri:
        return None
    return authorisation if authorisation.user.is_active else None


@transaction.atomic
def take_refresh_token(*, token: str, application_id: UUID) -> tuple[Authorisation, RefreshToken] | None:
    """Lock the authorisation that a refresh token keeps alive, or answer None when the token is not good.

    A token that was used before ends the whole family (RFC 9700, section 4.14.2).
    """
    found = RefreshToken.objects.filter(token_checksum=checksum(token), application_id=application_id)
    family = found.values_list("token_family", flat=True).first()
    authorisation = _lock(id=family, application_id=application_id) if family else None
    if authorisation is None or authorisation.ended_at is not None:
        return None
    # Read again: while this waited for the lock, another request may have used the token.
    row = found.get()
    if row.revoked is not None:
        _end([authorisation])
        return None
    if row.created + settings.REFRESH_TOKEN_LASTS <= timezone.now() or not authorisation.user.is_active:
        return None
    return authorisation, row


@transaction.atomic
def revoke_token(*, token: str, application_id: UUID) -> None:
    """Revoke a token of this application, and the authorisation it belongs to. Unknown tokens are no error."""
    digest = checksum(token)
    mine = {"application_id": application_id}
    refresh = RefreshToken.objects.filter(token_checksum=digest, **mine).first()
    if refresh is None:
        refresh = RefreshToken.objects.filter(access_token__token_checksum=digest, **mine).first()
    if refresh is not None and refresh.token_family is not None:
        authorisation = _lock(id=refresh.token_family, **mine)
        if authorisation is not None:
            _end([authorisation])
    AccessToken.objects.filter(token_checksum=digest, **mine).delete()


@transaction.atomic
def end_application(*, user: User, application_id: UUID) -> bool:
    """Take back all that `user` allowed an application; False when there was nothing."""
    open_ones = Authorisation.objects.filter(user=user, application_id=application_id, ended_at=None)
    ended = _end(_locked(open_ones))
    # Tokens made for scripts have no authorisation.
    deleted, _ = AccessToken.objects.filter(user=user, application_id=application_id).delete()
    return bool(ended or deleted)


@transaction.atomic
def end_of_sessions(*, session_ids: Iterable[int]) -> None:
    """End what the operator's own applications got in these sessions; others' outlive the session by design."""
    _end(
        _locked(
            Authorisation.objects.filter(
                session_id__in=list(session_ids), application__skip_authorization=True, ended_at=None
            )
        )
    )


@transaction.atomic
def end_all(*, user: User, first_party_only: bool = False) -> None:
    """End every authorisation and token of `user`, or those of the operator's own applications."""
    rows = Authorisation.objects.filter(user=user, ended_at=None)
    tokens = AccessToken.objects.filter(user=user)
    if first_party_only:
        rows = rows.filter(application__skip_authorization=True)
        tokens = tokens.filter(application__skip_authorization=True)
    _end(_locked(rows))
    tokens.delete()


@transaction.atomic
def forget_old() -> int:
    """Delete what can no longer be used: expired tokens, and authorisations whose code or tokens are long dead.

    Used refresh tokens stay as long as their authorisation, because they are what gives a thief away. Safe to run
    twice, and several times at once. Answers how many rows were found, at most `SWEEP` of each kind.
    """
    now = timezone.now()
    dead = now - settings.REFRESH_TOKEN_LASTS - timedelta(days=1)
    tokens = AccessToken.objects.filter(expires__lt=now - timedelta(days=1)).select_for_update(skip_locked=True)
    token_ids = list(tokens.values_list("id", flat=True)[:SWEEP])
    AccessToken.objects.filter(pk__in=token_ids).delete()
    never_exchanged = Q(exchanged_at=None, code_expires_at__lt=now - timedelta(days=1))
    old = Authorisation.objects.filter(never_exchanged | Q(last_used_at__lt=dead) | Q(ended_at__lt=dead))
    ids = list(old.select_for_update(skip_locked=True).values_list("id", flat=True)[:SWEEP])
    RefreshToken.objects.filter(token_family__in=ids).delete()
    Authorisation.objects.filter(pk__in=ids).delete()
    return max(len(ids), len(token_ids))


def _lock(**which: object) -> Authorisation | None:
    return Authorisation.objects.select_for_update(of=("self",)).select_related("user").filter(**which).first()


def _locked(rows: QuerySet[Authorisation]) -> list[Authorisation]:
    return list(rows.select_for_update(of=("self",)).order_by("id"))


def _end(authorisations: Iterable[Authorisation]) -> int:
    """End locked authorisations and every token of their families."""
    ids = [authorisation.pk for authorisation in authorisations]
    if not ids:
        return 0
    now = timezone.now()
    family = RefreshToken.objects.filter(token_family__in=ids)
    family.filter(revoked=None).update(revoked=now, updated=now)
    AccessToken.objects.filter(pk__in=family.values("access_token_id")).delete()
    return Authorisation.objects.filter(pk__in=ids, ended_at=None).update(ended_at=now)
