"""Log records carry the node they come from, and the request, user or job they belong to."""

import logging

from django.conf import settings

from api.core import context

# What no line tells need not be found out for each.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # type: ignore[attr-defined]


class RequestFields(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # Django hands over the whole request, whose text has the query in it.
        if record.__dict__.pop("request", None) is not None and isinstance(record.args, tuple):
            # And says its path, in which links from e-mails carry their key.
            record.args = tuple("/accounts/…" if str(each).startswith("/accounts/") else each for each in record.args)
        record.node = settings.NODE_NAME
        if identifier := context.request_id.get():
            record.request_id = identifier
        if user := context.user_id.get():
            record.user_id = user
        if job := context.job_id.get():
            record.job_id = job
        return True
