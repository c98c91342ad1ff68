"""Log records carry the node they come from, and the request, user, job or socket they belong to."""

import logging

from django.conf import settings

from api.core import context

# What no line tells need not be found out for each.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # type: ignore[attr-defined]


class RequestFields(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # Django hands over the whole request, whose text has the query in it.
        record.__dict__.pop("request", None)
        record.node = settings.NODE_NAME
        if identifier := context.request_id.get():
            record.request_id = identifier
        if user := context.user_id.get():
            record.user_id = user
        if job := context.job_id.get():
            record.job_id = job
        if session := context.session_id.get():
            record.session_id = session
        return True
