"""Log records carry the request and the user they belong to."""

import logging

from api.core import context

# What no line tells need not be found out for each.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None  # type: ignore[attr-defined]


class RequestFields(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # Django hands over the whole request, whose text has the query in it.
        record.__dict__.pop("request", None)
        if identifier := context.request_id.get():
            record.request_id = identifier
        if user := context.user_id.get():
            record.user_id = user
        return True
