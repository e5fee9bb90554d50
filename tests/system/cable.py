"""Two hosts for the system tests, network namespaces joined by a cable: 192.0.2.1 and 2001:db8::1 where
Sundew runs, 192.0.2.9 and 2001:db8::9 its peer."""
import os
import subprocess
import sys

HOST, PEER = f"sundew-h{os.getpid()}", f"sundew-p{os.getpid()}"


def run(*words):
    return subprocess.run(words, capture_output=True, text=True)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(0)


def inside(space, *words):
    return ["ip", "netns", "exec", space, *words]


def lay():
    if os.geteuid() != 0:
        skip("needs root")
    for words in (["netns", "add", HOST], ["netns", "add", PEER],
                  ["-n", HOST, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", PEER],
                  *([["-n", space, "link", "set", device, "up"] for space in (HOST, PEER) for device in ("lo", "eth0")]),
                  ["-n", HOST, "addr", "add", "192.0.2.1/24", "dev", "eth0"],
                  ["-n", PEER, "addr", "add", "192.0.2.9/24", "dev", "eth0"],
                  ["-n", HOST, "addr", "add", "2001:db8::1/64", "dev", "eth0", "nodad"],
                  ["-n", PEER, "addr", "add", "2001:db8::9/64", "dev", "eth0", "nodad"]):
        made = run("ip", *words)
        if made.returncode:
            remove()
            skip(f"network namespaces cannot be made here: {made.stderr.strip()}")


def remove():
    for space in (HOST, PEER):
        run("ip", "netns", "del", space)


ASK = r"""
import socket, ssl, sys, time
host, port, secure, question, enough = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "tls", bytes.fromhex(sys.argv[4]), bytes.fromhex(sys.argv[5])
got, deadline = b"", time.monotonic() + 10
try:
    s = socket.create_connection((host, port), 5)
    if secure:
        context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
        s = context.wrap_socket(s, server_hostname="decoy")
    s.sendall(question)
    while not enough or enough not in got:
        s.settimeout(max(deadline - time.monotonic(), 0.01))
        piece = s.recv(65536)
        if not piece: break
        got += piece
except ConnectionRefusedError: print("refused"); sys.exit()
except OSError as e: pass
print(got.hex())
"""


def ask(port, question=b"", enough=b"", host="192.0.2.1", tls=False, space=PEER):
    said = run(*inside(space, sys.executable, "-c", ASK, host, str(port), "tls" if tls else "-", question.hex(), enough.hex()))
    text = said.stdout.strip()
    return b"refused" if text == "refused" else bytes.fromhex(text)
