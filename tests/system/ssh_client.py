"""A small SSH client for probing: it sends what it is told, in any order, and shows what comes back.

curve25519-sha256, aes128-ctr, hmac-sha2-256; the server's key is not checked. Needs python3-cryptography.
"""
import hashlib
import hmac
import os
import select
import socket
import struct
import time

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEX = "curve25519-sha256"
LISTS = [KEX, "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512", "aes128-ctr", "aes128-ctr", "hmac-sha2-256",
         "hmac-sha2-256", "none", "none", "", ""]


def u32(n):
    return struct.pack(">I", n & 0xffffffff)


def string(s):
    if isinstance(s, str):
        s = s.encode()
    return u32(len(s)) + s


def mpint(b):
    b = b.lstrip(b"\0")
    return string(b"\0" + b if b and b[0] & 0x80 else b)


def take(data, at):
    length = struct.unpack(">I", data[at:at + 4])[0]
    return data[at + 4:at + 4 + length], at + 4 + length


class End(Exception):
    """The server closed."""


class Client:
    def __init__(self, port, banner=b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", lists=None, timeout=3):
        self.banner, self.lists, self.timeout = banner, lists or LISTS, timeout
        self.s = socket.create_connection(("127.0.0.1", port))
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.out_sequence = self.in_sequence = 0
        self.encrypt = self.decrypt = None
        self.session_id = None
        self.strict = False

    # --- bytes ---

    def fill(self, timeout=None):
        """True when bytes came, False when none did in time; End when the server closed."""
        if not select.select([self.s], [], [], self.timeout if timeout is None else timeout)[0]:
            return False
        try:
            got = self.s.recv(65536)
        except ConnectionError:
            got = b""
        if not got:
            raise End
        self.buffer += got
        return True

    def line(self):
        while b"\n" not in self.buffer:
            if not self.fill():
                return None
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line + b"\n"

    def rest(self, timeout=1.5):
        """All bytes until silence or the end; the end is shown as <END>."""
        try:
            while self.fill(timeout):
                pass
        except End:
            return self.buffer + b"<END>"
        return self.buffer

    # --- packets ---

    def send(self, payload):
        block = 16 if self.encrypt else 8
        padding = block - (5 + len(payload)) % block
        if padding < 4:
            padding += block
        self.send_packet(struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + b"\0" * padding)

    def send_packet(self, packet):
        if self.encrypt:
            tag = hmac.new(self.out_mac, u32(self.out_sequence) + packet, hashlib.sha256).digest()
            packet = self.encrypt.update(packet) + tag
        self.out_sequence += 1
        try:
            self.s.sendall(packet)
        except OSError:
            pass

    def need(self, count, timeout):
        deadline = time.monotonic() + timeout
        while len(self.buffer) < count:
            if not self.fill(max(deadline - time.monotonic(), 0)):
                return False
        return True

    def receive(self, timeout=None):
        """The next payload, or None when nothing comes; End when the server closed."""
        timeout = self.timeout if timeout is None else timeout
        block = 16 if self.decrypt else 8
        if not self.need(block, timeout):
            return None
        first = self.buffer[:block]
        if self.decrypt:
            first = self.decrypt.update(first)
        length, padding = struct.unpack(">IB", first[:5])
        total = 4 + length
        if not self.need(total + (32 if self.decrypt else 0), 5):
            return None
        rest = self.buffer[block:total]
        if self.decrypt:
            rest = self.decrypt.update(rest)
            tag = self.buffer[total:total + 32]
            assert hmac.new(self.in_mac, u32(self.in_sequence) + first + rest, hashlib.sha256).digest() == tag
            total += 32
        self.buffer = self.buffer[total:]
        self.in_sequence += 1
        return (first + rest)[5:4 + length - padding]

    def receive_all(self, timeout=1.0):
        got = []
        try:
            while (payload := self.receive(timeout)) is not None:
                got.append(payload)
        except End:
            got.append(b"<END>")
        return got

    # --- the beginning ---

    def identify(self):
        self.server_version = self.line().rstrip(b"\r\n")
        self.s.sendall(self.banner)
        return self

    def own_kexinit(self, follows=False):
        return b"\x14" + os.urandom(16) + b"".join(string(x) for x in self.lists) + bytes([follows]) + u32(0)

    def start(self):
        """Identification and both KEXINIT."""
        self.identify()
        self.server_kexinit = self.receive()
        self.client_kexinit = self.own_kexinit()
        self.send(self.client_kexinit)
        self.strict = "kex-strict-c-v00@openssh.com" in self.lists[0] and \
            b"kex-strict-s-v00@openssh.com" in self.server_kexinit
        return self

    def exchange(self):
        """curve25519 and NEWKEYS; returns the reply's parts."""
        key = X25519PrivateKey.generate()
        own = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.send(b"\x1e" + string(own))
        reply = self.receive()
        assert reply[0] == 31, reply
        host_key, at = take(reply, 1)
        theirs, at = take(reply, at)
        signature, at = take(reply, at)
        shared = mpint(key.exchange(X25519PublicKey.from_public_bytes(theirs)))
        h = hashlib.sha256(
            string(self.banner.rstrip(b"\r\n")) + string(self.server_version) + string(self.client_kexinit) +
            string(self.server_kexinit) + string(host_key) + string(own) + string(theirs) + shared).digest()
        self.session_id = self.session_id or h

        def derive(letter, length):
            return hashlib.sha256(shared + h + letter + self.session_id).digest()[:length]

        assert self.receive() == b"\x15"
        self.decrypt = Cipher(algorithms.AES(derive(b"D", 16)), modes.CTR(derive(b"B", 16))).decryptor()
        self.in_mac = derive(b"F", 32)
        if self.strict:
            self.in_sequence = 0
        self.send(b"\x15")
        self.encrypt = Cipher(algorithms.AES(derive(b"C", 16)), modes.CTR(derive(b"A", 16))).encryptor()
        self.out_mac = derive(b"E", 32)
        if self.strict:
            self.out_sequence = 0
        return host_key, signature

    def connect(self):
        self.start()
        self.exchange()
        return self

    def service(self):
        self.send(b"\x05" + string("ssh-userauth"))
        return self.receive()

    def request(self, user, method, more=b"", service="ssh-connection"):
        self.send(b"\x32" + string(user) + string(service) + string(method) + more)

    def password(self, user, password, timeout=10):
        self.request(user, "password", b"\0" + string(password))
        return self.receive(timeout)

    def log_in(self, user, password):
        self.connect()
        self.service()
        answer = self.password(user, password)
        assert answer and answer[0] == 52, answer
        return self

    # --- channels ---

    def open(self, kind="session", number=0, window=2097152, packet=32768, more=b""):
        self.send(b"\x5a" + string(kind) + u32(number) + u32(window) + u32(packet) + more)

    def channel_request(self, channel, kind, reply=True, more=b""):
        self.send(b"\x62" + u32(channel) + string(kind) + bytes([reply]) + more)
