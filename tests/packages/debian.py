"""A fresh Debian in a directory of its own, made by debootstrap, and kept for the next time."""

import contextlib
import os
import pathlib
import re
import shlex
import subprocess
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("XMPP_AUTHD_BUILD", TREE / "build")).resolve()

# What the packages depend on, so that they can be installed without a network; who uses them; and what tries their parts.
BASE = {"systemd", "prosody"}
PATHS = "PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive"


def codename():
    return re.search(r"^VERSION_CODENAME=(\w+)$", pathlib.Path("/etc/os-release").read_text(), re.MULTILINE)[1]


def mirror(suite):
    """Where this machine gets its own packages from."""
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(CODENAME) $(SITE)"], capture_output=True, text=True,
                             check=True).stdout
    return next(site for name, _, site in (line.partition(" ") for line in targets.splitlines()) if name == suite)


def proxy():
    """The proxy that this machine gets its packages through, or nothing."""
    shown = subprocess.run(["apt-config", "shell", "PROXY", "Acquire::http::Proxy"], capture_output=True, text=True, check=True)
    found = re.search(r"^PROXY='(.*)'$", shown.stdout, re.MULTILINE)
    return found[1] if found else ""


def in_namespaces():
    """What a command is run with so that its processes end with it and its mounts are its own; nothing where that is not
    allowed."""
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    return command if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0 else []


class Machine:
    """A root directory that commands are run in."""

    def __init__(self, root):
        self.root = pathlib.Path(root)

    def command(self, script):
        """The command that runs a shell script in it, as root; /proc is there where mounting is allowed."""
        inside = f"chroot {self.root} /usr/bin/env -i {PATHS} /bin/sh -euc {shlex.quote(script)}"
        namespaces = in_namespaces()
        mount = f"mount -t proc proc {self.root}/proc 2>/dev/null; " if namespaces else ""
        return [*namespaces, "/bin/sh", "-c", f"{mount}exec {inside}"]

    def run(self, script, status=0):
        """Its output, of both kinds; it must end with the status."""
        result = subprocess.run(self.command(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        assert result.returncode == status, f"status {result.returncode} of {script}\n{result.stdout}"
        return result.stdout

    def path(self, name):
        return self.root / name.lstrip("/")

    def files(self):
        """Every file and directory there is, links not followed."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}


def dependencies(packages):
    """The packages that built packages depend on, without those built here: the first of each choice."""
    fields = [subprocess.run(["dpkg-deb", "--field", path, "Pre-Depends", "Depends"], capture_output=True, text=True,
                             check=True).stdout for path in packages]
    names = re.findall(r"(?:^[\w-]+: |, )([a-z0-9][a-z0-9.+-]*)", "\n".join(fields), re.MULTILINE)
    return sorted(set(names) - {"xmpp-authd", "xmpp-extauth"})


def fresh(name, packages):
    """The root of a fresh Debian with these packages: made once for each name and set of them, not to be changed."""
    suite, wanted = codename(), " ".join(sorted(packages))
    root, made_with = BUILD / name, BUILD / f"{name}.packages"
    if made_with.exists() and made_with.read_text() == wanted:
        return root
    made_with.unlink(missing_ok=True)
    subprocess.run(["rm", "-rf", root], check=True)
    environment = {**os.environ, "http_proxy": proxy()} if proxy() else None
    subprocess.run(["debootstrap", "--variant=minbase", suite, root, mirror(suite)], check=True, env=environment)
    for name in ("etc/resolv.conf", "etc/hosts"):
        (root / name).write_bytes(pathlib.Path("/", name).read_bytes())
    if proxy():
        (root / "etc/apt/apt.conf.d/proxy").write_text(f'Acquire::http::Proxy "{proxy()}";\n')
    (root / "etc/dpkg/dpkg.cfg.d/no-sync").write_text("force-unsafe-io\n")
    if wanted:
        Machine(root).run(f"apt-get update -qq; apt-get install -y -qq --no-install-recommends {wanted}; apt-get clean")
    subprocess.run(f"rm -rf {root}/var/lib/apt/lists/*", shell=True, check=True)
    made_with.write_text(wanted)
    return root


@contextlib.contextmanager
def copy_of(root):
    """A copy of it that may be changed: by an overlay where mounting is allowed."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="xa-debian-", dir="/tmp"))
    directory.chmod(0o755)
    for name in ("upper", "work", "root"):
        (directory / name).mkdir()
    copy = directory / "root"
    options = f"lowerdir={root},upperdir={directory}/upper,workdir={directory}/work"
    overlay = ["mount", "-t", "overlay", "overlay", "-o", options, copy]
    is_mounted = subprocess.run(overlay, capture_output=True, check=False).returncode == 0
    try:
        if not is_mounted:
            subprocess.run(["cp", "-a", f"{root}/.", copy], check=True)
        yield copy
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", copy], check=True)
        subprocess.run(["rm", "-rf", "--one-file-system", directory], check=True)
