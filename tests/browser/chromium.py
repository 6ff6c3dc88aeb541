"""Headless Chromium, driven through driver.mjs, and the people who sit in front of it."""

import json
import pathlib
import subprocess

DRIVER = pathlib.Path(__file__).with_name("driver.mjs")


class Chromium:
    """One browser; each page belongs to somebody of its own, with cookies and storage of its own."""

    def __init__(self, packages):
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "node", DRIVER, packages], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def perform(self, page, call, *arguments):
        """A method of the Playwright page of that name."""
        self._process.stdin.write(json.dumps({"page": page, "call": call, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the browser is gone"}')
        assert "error" not in answer, f"{page}: {call}: {answer['error']}"
        return answer["result"]

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(20)
        finally:
            self._process.kill()
            self._process.wait()


class Person:
    """Somebody with an account, in front of a browser."""

    def __init__(self, chromium, site, name):
        self.site, self.name = site, name
        self._chromium = chromium

    def do(self, call, *arguments):
        return self._chromium.perform(self.name, call, *arguments)

    def waits_for(self, selector):
        self.do("waitForSelector", selector)

    def logs_in(self, password=None):
        self.do("goto", self.site.address)
        self.do("fill", "input[name=user]", self.name)
        self.do("fill", "input[name=password]", password or self.site.passwords[self.name])
        self.do("click", "#login button")

    def is_told(self, state):
        """Waits until the page says this of the chat."""
        self.waits_for(f'#state:text-is("{state}")')

    def comes_online(self):
        self.is_told("online")
        self.waits_for('converse-user-profile :text("I am online")')

    def opens_chat_with(self, other):
        self.do("click", f'converse-roster .open-chat:has-text("{other.title()}")')

    def says(self, text):
        self.do("fill", "textarea.chat-textarea", text)
        self.do("press", "textarea.chat-textarea", "Enter")

    def reads(self, text):
        self.waits_for(f'converse-chat-message-body:has-text("{text}")')

    def keeps_a_picture(self, path):
        self.do("screenshot", {"path": str(path)})

    def evaluate(self, expression):
        return self.do("evaluate", expression)

    def history(self, kind):
        return [event for event in self.do("history") if event["kind"] == kind]

    def asked_for_credentials(self):
        """How often the chat client did."""
        return sum(event["url"].endswith("/credentials") for event in self.history("request"))

    def cookie(self):
        """What the browser sends to the site, and no script can see."""
        [cookie] = self.do("context.cookies", self.site.address)
        return f"{cookie['name']}={cookie['value']}"

    def leaves(self):
        """Closes the page, after a look at what it did behind the person's back."""
        answers, errors = self.history("answer"), self.history("error")
        self.do("close")
        strangers = [event["url"] for event in answers if not event["url"].startswith(self.site.address + "/")]
        assert not strangers, "the page fetched from elsewhere"
        refused = [event["text"] for event in errors if "Content Security Policy" in event["text"]]
        # Converse.js's own advertisements; nothing that is needed.
        unexpected = [text for text in refused if "//conversejs.org/media/logos/" not in text]
        assert not unexpected, "the page is not allowed to do what it wants"
