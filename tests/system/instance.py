"""A whole Sundew in a folder of its own, for the system tests: start, stop, look inside."""
import atexit
import json
import os
import re
import signal
import socket
import subprocess
import time

sundew = os.path.abspath(os.environ["SUNDEW"])
failures = 0


def check(name, good, more=""):
    global failures
    if good:
        print(f"ok {name}", flush=True)
    else:
        failures += 1
        print(f"not ok {name} {more}", flush=True)
    return good


def until(what, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    return what()


def connect(port, seconds=5, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", port), seconds, (source, 0))


def ask(port, question, enough, seconds=5, source="127.0.0.1"):
    """What came until it contained `enough`, the other end closed or time was up."""
    got = b""
    deadline = time.monotonic() + seconds
    try:
        with connect(port, seconds, source) as s:
            if question:
                s.sendall(question)
            while enough not in got:
                s.settimeout(max(deadline - time.monotonic(), 0.01))
                piece = s.recv(65536)
                if not piece:
                    break
                got += piece
    except OSError:
        pass
    return got


class Instance:
    """Ports that outgoing connections happen to use as their own are the reason to try some offsets."""

    def __init__(self, folder, offset, *options):
        self.folder, self.log_path = folder, os.path.join(folder, "log")
        os.chmod(folder, 0o755)
        for self.offset in range(offset, offset + 10):
            with open(self.log_path, "w") as log:
                self.process = subprocess.Popen(
                    [sundew, "run", "-d", folder, "--listen", "127.0.0.1", "--port-offset", str(self.offset),
                     "--access", "never", *options],
                    stdout=subprocess.DEVNULL, stderr=log)
            atexit.register(self.process.kill)  # a test that breaks leaves nobody behind
            until(lambda: "ready:" in self.log() or self.process.poll() is not None)
            if self.process.poll() is None or "already in use" not in self.log():
                break
        check("starts", self.process.poll() is None and "ready:" in self.log(), self.log()[:2000])

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def port(self, number):
        return number + self.offset

    def children(self):
        """Process number to name of the supervisor's children."""
        found = {}
        task = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        for pid in open(task).read().split():
            try:
                found[int(pid)] = open(f"/proc/{pid}/comm").read().strip()
            except OSError:
                pass
        return {pid: name for pid, name in found.items() if re.match(r"(decoy|store)-\d+$", name)}

    def ports(self, kind="tcp"):
        """Ports, without the offset, of the sockets that the supervisor has open."""
        mine, found = set(), set()
        for name in os.listdir(f"/proc/{self.process.pid}/fd"):
            try:
                mine.add(os.readlink(f"/proc/{self.process.pid}/fd/{name}"))
            except OSError:
                pass
        for line in open(f"/proc/net/{kind}").read().splitlines()[1:]:
            part = line.split()
            if f"socket:[{part[9]}]" in mine and (kind == "udp" or part[3] == "0A"):
                found.add(int(part[1].split(":")[1], 16) - self.offset)
        return sorted(found)

    def tell(self, *words):
        said = subprocess.run([sundew, words[0], "-d", self.folder, *words[1:]], capture_output=True, text=True)
        check(f"sundew {words[0]}", said.returncode == 0, said.stderr[-2000:])
        return said.stdout

    def stored(self):
        return [json.loads(line) for line in self.tell("export").splitlines()]

    def spool_lines(self):
        """Every line in the spool's segments; one form of each segment, without a newline that is missing."""
        spool = os.path.join(self.folder, "spool")
        for writer in sorted(os.listdir(spool)):
            if not os.path.isdir(os.path.join(spool, writer)):
                continue
            names = set(os.listdir(os.path.join(spool, writer)))
            for name in sorted(names):
                path = os.path.join(spool, writer, name)
                if name.endswith(".ndjson"):
                    text = open(path, "rb").read()
                elif name.endswith(".zst") and name[:-4] not in names:
                    text = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
                else:
                    continue
                yield from ((f"{writer}/{name}", line) for line in text.splitlines(keepends=True))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            check("SIGTERM ends it with status 0", self.process.wait(20) == 0, self.log()[-2000:])
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            check("SIGTERM ends it in time", False, self.log()[-2000:])
        check("no sanitizer report", not re.search("Sanitizer|runtime error:", self.log()), self.log()[-4000:])
