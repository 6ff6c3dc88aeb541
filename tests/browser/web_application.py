"""docs/examples/webapp.py on a free port, and its clients, browsers' manners left out."""

import dataclasses
import http.client
import pathlib
import subprocess
import sys
import threading
import urllib.parse

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / "docs" / "examples" / "webapp.py"
PATIENCE = 20  # seconds; only ever reached where a test fails


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def session(self):
        """The cookie that was set, as a browser would send it back; None if it is one that deletes."""
        cookie = self.headers["Set-Cookie"]
        return cookie.split(";")[0] if cookie and "Max-Age=0" not in cookie else None


class WebApplication:
    def __init__(self, directory, secrets, *options):
        """`secrets` is the text of its secrets.cfg. Users are added by new_user() before it starts."""
        self.directory = pathlib.Path(directory)
        self.secrets = self.write("secrets.cfg", secrets)
        self.users = self.write("users", "")
        self.assets = self.directory / "dist"
        self.assets.mkdir()
        self.write("dist/converse.min.js", "content")
        self._options = options
        self._lines = []

    def write(self, name, text):
        path = self.directory / name
        path.touch(0o600)
        path.write_text(text)
        return path

    def new_user(self, name, password):
        made = self.run("--new-user", name, input=password)
        assert made.returncode == 0, made.stderr
        self.users.write_text(self.users.read_text() + made.stdout)

    @staticmethod
    def run(*options, **how):
        """Runs it until it ends."""
        return subprocess.run([sys.executable, PROGRAM, *map(str, options)], capture_output=True, text=True, timeout=PATIENCE, **how)

    def arguments(self):
        return ["--secrets", self.secrets, "--users", self.users, "--converse", self.assets, "--port", 0, *self._options]

    def start(self):
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, PROGRAM, *map(str, self.arguments())], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=lambda: self._lines.extend(self._process.stdout))
        listening = self._process.stdout.readline()
        assert listening.startswith("listening at "), listening + self._process.stdout.read()
        self.origin = listening.split()[-1]
        self._lines.append(listening)
        self._reader.start()
        self._port = self._listening_port()
        return self

    def _listening_port(self):
        """From /proc: the address that it prints may be that of a proxy before it."""
        descriptors = pathlib.Path(f"/proc/{self._process.pid}/fd").iterdir()
        sockets = {str(one.readlink())[8:-1] for one in descriptors if str(one.readlink()).startswith("socket:")}
        for line in pathlib.Path(f"/proc/{self._process.pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                assert fields[1].startswith("0100007F:"), "it listens on more than loopback"
                return int(fields[1].split(":")[1], 16)
        raise AssertionError("it does not listen")

    def stop(self):
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._reader.join()

    @property
    def pid(self):
        return self._process.pid

    @property
    def output(self):
        """All it has printed; complete only after stop()."""
        return "".join(self._lines)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)

    def ask(self, method, path, body=None, **headers):
        """Headers have _ for - in their names; None leaves one out."""
        connection = self.connect()
        fields = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        it = Answer(answer.status, answer.headers, answer.read())
        connection.close()
        return it

    def get(self, path, session=None, **headers):
        return self.ask("GET", path, Cookie=session, **headers)

    def post(self, path, session=None, **headers):
        return self.ask("POST", path, Cookie=session, **{"Origin": self.origin, **headers})

    def log_in(self, user, password, **headers):
        return self.post("/login", body=urllib.parse.urlencode({"user": user, "password": password}), **headers)
