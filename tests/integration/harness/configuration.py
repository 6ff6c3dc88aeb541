"""Configurations, section by section."""

import pathlib

from .minter import Key

HOST = "example.org"


class Configuration:
    """What a test's daemon runs with unless told otherwise: one socket, one host, tokens minted before the start accepted, for a
    test does not wait a minute for the first one."""

    def __init__(self, directory, key=None):
        self.directory = pathlib.Path(directory)
        self.key = key or Key()
        self.sections = {
            "server": {"listen": self.directory / "a.sock"},
            "replay": {"store": "memory", "after_restart": "accept"},
            f"host {HOST}": self.key.settings(),
            "log": {"level": "debug"},  # for all that is ever written is searched for secrets
        }

    def set(self, header, **settings):
        """Changes settings of a section, which is added where it is missing; None takes one out."""
        section = self.sections.setdefault(header, {})
        section.update(settings)
        for name in [name for name, value in section.items() if value is None]:
            del section[name]
        return self

    def server(self, **settings):
        return self.set("server", **settings)

    def host(self, domain=HOST, key=None, **settings):
        return self.set(f"host {domain}", **(key.settings() if key else {}), **settings)

    def listener(self, name, **settings):
        """A further socket; returns its path."""
        path = self.directory / f"{name}.sock"
        self.set(f"listen {name}", path=path, **settings)
        return path

    def text(self):
        return "\n".join(
            f"[{header}]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
            for header, settings in self.sections.items()
        )
