"""What a recorded process starts, or gives its place to, so that what no hook sees is named. sitecustomize.py loads it."""

import os
import re

from keyaudit_facts import text_of

# Programs that call nobody and are started by libraries to see where they run.
_HARMLESS = re.compile(
    r"^(?:\S*/)?(?:uname|hostname|which|ps|tty|stty|id|locale|getconf|ldconfig|lsb_release|sw_vers|git)"
    r"(?:\s[^;&|`$<>\n]*)?$"
)


def watch_subprocess(module, note):
    """The process id of what is started, so that a program in which no hook says hello is named as not seen."""
    init = module.Popen.__init__

    def watched(self, args, *rest, **kwargs):
        init(self, args, *rest, **kwargs)
        try:
            file = args if isinstance(args, (str, bytes, os.PathLike)) else args[0]
            if not _HARMLESS.match(text_of(os.fspath(file))):
                note({"started": self.pid})
        except Exception:  # noqa: BLE001
            pass

    module.Popen.__init__ = watched


def watch_system(note):
    system = os.system

    def watched(command):
        note({"started": 0})
        return system(command)

    os.system = watched


def watch_exec(note, hello):
    """What takes this process's place, and what is started past subprocess."""

    def replacing(original):
        def watched(path, *args, **kwargs):
            note({"replaced": os.getpid()})
            try:
                return original(path, *args, **kwargs)
            finally:
                # It is still here: there was nothing to run.
                hello()

        return watched

    def spawning(original):
        def watched(path, *args, **kwargs):
            pid = original(path, *args, **kwargs)
            note({"started": pid})
            return pid

        return watched

    for name in ("execv", "execve"):
        setattr(os, name, replacing(getattr(os, name)))
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(os, name):
            setattr(os, name, spawning(getattr(os, name)))
