"""honcho, with one thing more: it stops when the process that started it is gone, however that ended."""

import os
import signal
import threading
import time

from honcho.command import main as honcho


def main() -> None:
    parent = int(os.environ.pop("GUILDHALL_PARENT"))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    honcho()


if __name__ == "__main__":
    main()
