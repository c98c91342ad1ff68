"""The results API: downloads, the consensus, the workers by it."""

from typing import ClassVar
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from api.core import csvtext
from api.core.http import answer
from api.core.pages import BadCursor, decode_cursor, next_link, read_limit
from api.core.views import ApiViewSet
from api.projects.selectors import access_project
from api.results import permissions, selectors
from api.results import serializers as shapes

_TABLE = (
    "task,position,key,label,tie,confidence,answers,gold,input.image\r\n"
    "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0adb25,0,0017,1,,0.97,3,,https://images.example.org/0017.jpg\r\n"
)
_RECORDS = (
    '{"task": "0198c1f2-7d3a-7c4e-9b1a-2f6d8e0adb25", "position": 0, "key": "0017", "label": "1", "tie": null,'
    ' "confidence": 0.97, "answers": 3, "gold": null, "input": {"image": "https://images.example.org/0017.jpg"}}\n'
)


class ResultsViewSet(ApiViewSet):
    permission_table: ClassVar = permissions.RESULTS
    replica_reads: ClassVar = frozenset({"download", "summary", "workers"})

    @extend_schema(
        operation_id="download_results",
        parameters=[shapes.ResultsQuery],
        responses={
            (200, "text/csv"): OpenApiResponse(
                OpenApiTypes.STR, "CSV with a header line.", [OpenApiExample("table", _TABLE)]
            ),
            (200, "application/x-ndjson"): OpenApiResponse(
                OpenApiTypes.STR, "One JSON object a line.", [OpenApiExample("records", _RECORDS)]
            ),
        },
    )
    def download(self, request: Request, project_id: UUID) -> StreamingHttpResponse:
        """All answers, or one label for each task, as a file."""
        query = shapes.ResultsQuery.read(request.query_params)
        states = shapes.states_in(query)
        project = access_project(request.user, project_id)
        method = query["aggregate"]
        if method == "none":
            export = selectors.raw_export(project, states)
        else:
            labels = selectors.consensus_of(project, method=method, key=query.get("key"), states=states)
            export = selectors.consensus_export(labels)
        name = f"results-{project.id}" + ("" if method == "none" else f"-{method}")
        if query["format"] == "csv":
            return csvtext.response(f"{name}.csv", export.header, export.rows)
        return StreamingHttpResponse(
            export.lines,
            content_type="application/x-ndjson",
            headers={"Content-Disposition": f'attachment; filename="{name}.jsonl"'},
        )

    @extend_schema(
        operation_id="get_results_summary",
        parameters=[shapes.ConsensusQuery],
        responses={200: shapes.ResultsSummaryOut},
    )
    def summary(self, request: Request, project_id: UUID) -> HttpResponse:
        """What the answers come to: labels, ties, agreement, and the model behind them."""
        query = shapes.ConsensusQuery.read(request.query_params)
        states = shapes.states_in(query)
        project = access_project(request.user, project_id)
        labels = selectors.consensus_of(project, method=query["aggregate"], key=query.get("key"), states=states)
        return answer(selectors.summary_of(labels))

    @extend_schema(
        operation_id="list_worker_quality",
        parameters=[shapes.WorkersQuery],
        responses={200: shapes.WorkerOut(many=True)},
    )
    def workers(self, request: Request, project_id: UUID) -> HttpResponse:
        """How good each worker's answers are; those who gave most come first."""
        query = shapes.WorkersQuery.read(request.query_params)
        states = shapes.states_in(query)
        limit = read_limit(request)
        after = _after(query.get("cursor"))
        project = access_project(request.user, project_id)
        labels = selectors.consensus_of(project, method=query["aggregate"], key=query.get("key"), states=states)
        rows = [row for row in selectors.worker_quality(labels) if (-row["answers"], row["worker"]) > after]
        headers = None
        if len(rows) > limit:
            rows = rows[:limit]
            headers = next_link(request, [-rows[-1]["answers"], rows[-1]["worker"]])
        return answer(rows, headers=headers)


def _after(cursor: str | None) -> tuple[float, str]:
    """Where the page before ended, in the order of `worker_quality`. Raises BadCursor."""
    if cursor is None:
        return (float("-inf"), "")
    count, alias = decode_cursor(cursor, 2)
    if not isinstance(count, int) or not isinstance(alias, str):
        raise BadCursor
    return count, alias
