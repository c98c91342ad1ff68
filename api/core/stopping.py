"""Whether this process has been told to stop. Set by whatever serves it (config/worker.py), read by /readyz."""

now = False
