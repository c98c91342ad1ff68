"""What users call about themselves."""

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.request import Request

from api.accounts import exports, permissions, selectors
from api.accounts.errors import FirstPartyOnly, TooManyApplications
from api.accounts.models import User
from api.accounts.serializers import (
    ApplicationIn,
    ApplicationOut,
    AuthorisedApplicationOut,
    CloseIn,
    MeIn,
    MeOut,
    NewApplicationOut,
    SessionOut,
    application_body,
    me_body,
)
from api.accounts.services import applications, authorisations, closing, profile, sessions
from api.core.errors import NotFound
from api.core.http import answer, dump
from api.core.pages import page
from api.core.schema import raises
from api.core.views import ApiViewSet


def _require_first_party(request: Request) -> None:
    """Applications, sessions, the export and the account itself are managed by Guildhall's own client alone.

    Another application with `account:write` could otherwise register one that may do more than it may itself; and
    an export holds what the other scopes guard.
    """
    if not request.auth.first_party:
        raise FirstPartyOnly


class MeViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.ME

    @extend_schema(operation_id="get_me", responses={200: MeOut})
    def retrieve(self, request: Request) -> HttpResponse:
        """Who I am."""
        return self._answer(request.user)

    @extend_schema(operation_id="edit_me", request=MeIn, responses={200: MeOut})
    def partial_update(self, request: Request) -> HttpResponse:
        """Change my profile."""
        changes = MeIn.read(request.data, partial=True)
        return self._answer(profile.update_profile(user_id=request.user.pk, changes=changes))

    @extend_schema(operation_id="export_own_data", responses={200: OpenApiTypes.OBJECT, **raises(FirstPartyOnly)})
    def export(self, request: Request) -> StreamingHttpResponse:
        """Everything that is held about me, from every domain, as one JSON document."""
        _require_first_party(request)
        return StreamingHttpResponse(
            _export(request.user),
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="guildhall-own-data.json"'},
        )

    @extend_schema(operation_id="close_account", request=CloseIn, responses={204: None})
    def close(self, request: Request) -> HttpResponse:
        """Close my account: erase who I am, keep what I did under the same id."""
        _require_first_party(request)
        given = CloseIn.read(request.data)
        closing.close_account(user=request.user, **given)
        return answer()

    def _answer(self, user: User) -> HttpResponse:
        return answer(me_body(user, selectors.second_factors_of(user), selectors.has_verified_email(user)))


def _export(user: User) -> Iterator[bytes]:
    yield b'{"exported_at":' + dump(timezone.now())
    for name, part in exports.parts().items():
        yield b",\n" + dump(name) + b":["
        separator = b"\n"
        for item in part(user):
            yield separator + dump(item)
            separator = b",\n"
        yield b"]"
    yield b"}\n"


class SessionViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.SESSIONS

    @extend_schema(operation_id="list_sessions", responses={200: SessionOut(many=True)})
    def list(self, request: Request) -> HttpResponse:
        """The browsers I am signed in with."""
        mine = selectors.session_of(request.auth.token_checksum)

        def render(session: UserSession) -> dict[str, Any]:
            return {
                "id": session.pk,
                "ip": session.ip,
                "user_agent": session.user_agent,
                "created_at": session.created_at,
                "last_seen_at": session.last_seen_at,
                "current": session.pk == mine,
            }

        return page(request, selectors.visible_sessions(request.user), render)

    @extend_schema(operation_id="end_session", responses={204: None})
    def destroy(self, request: Request, session_id: str) -> HttpResponse:
        """Sign out of one browser, with the tokens this client got there."""
        _require_first_party(request)
        sessions.end_session(user=request.user, session_id=int(session_id))
        return answer()


class AuthorisedApplicationViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.AUTHORISED

    @extend_schema(operation_id="list_authorised_applications", responses={200: AuthorisedApplicationOut(many=True)})
    def list(self, request: Request) -> HttpResponse:
        """The applications I let act for me."""
        return answer(selectors.authorised_applications(request.user))

    @extend_schema(operation_id="end_authorised_application", responses={204: None})
    def destroy(self, request: Request, application_id: UUID) -> HttpResponse:
        """Take back all I allowed an application; its tokens stop working at once."""
        _require_first_party(request)
        if not authorisations.end_application(user=request.user, application_id=application_id):
            raise NotFound
        return answer()


class ApplicationViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.APPLICATIONS
    secret_answers: ClassVar = frozenset({"create"})

    @extend_schema(operation_id="list_applications", responses={200: ApplicationOut(many=True)})
    def list(self, request: Request) -> HttpResponse:
        """The applications I registered."""
        return page(request, selectors.visible_applications(request.user), application_body)

    @extend_schema(
        operation_id="create_application",
        request=ApplicationIn,
        responses={201: NewApplicationOut, **raises(FirstPartyOnly, TooManyApplications)},
    )
    def create(self, request: Request) -> HttpResponse:
        """Register an OAuth2 application. Its secret is in this answer and never shown again."""
        _require_first_party(request)
        fields = ApplicationIn.read(request.data)
        application, secret = applications.create_application(owner=request.user, fields=fields)
        body = application_body(application)
        return answer(body | {"client_secret": secret} if secret else body, status=201)

    @extend_schema(operation_id="get_application", responses={200: ApplicationOut})
    def retrieve(self, request: Request, application_id: UUID) -> HttpResponse:
        """One application I registered."""
        application = selectors.visible_applications(request.user).filter(pk=application_id).first()
        if application is None:
            raise NotFound
        return answer(application_body(application))

    @extend_schema(operation_id="edit_application", request=ApplicationIn, responses={200: ApplicationOut})
    def partial_update(self, request: Request, application_id: UUID) -> HttpResponse:
        """Change an application; its type cannot change."""
        _require_first_party(request)
        fields = ApplicationIn.read(request.data, partial=True)
        application = applications.update_application(owner=request.user, application_id=application_id, fields=fields)
        return answer(application_body(application))

    @extend_schema(operation_id="delete_application", responses={204: None})
    def destroy(self, request: Request, application_id: UUID) -> HttpResponse:
        """Delete an application and every token it has."""
        _require_first_party(request)
        applications.delete_application(owner=request.user, application_id=application_id)
        return answer()
