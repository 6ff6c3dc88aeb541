"""A TCP proxy on loopback that can cut its connections, as a network does, and refuse new ones for a while."""

import socket
import struct
import threading

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CuttingProxy:
    def __init__(self, target_port):
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs = set()
        self._turn = threading.Condition()
        self._is_down = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._turn:
                if self._is_down:
                    self._reset(client)
                    continue
                pair = client, socket.create_connection(self._target)
                self._pairs.add(pair)
            for source, sink in (pair, pair[::-1]):
                threading.Thread(target=self._copy, args=(source, sink, pair), daemon=True).start()

    def _copy(self, source, sink, pair):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        self._drop(pair)

    @staticmethod
    def _reset(one):
        try:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        one.close()

    def _drop(self, pair):
        with self._turn:
            self._pairs.discard(pair)
        for one in pair:
            self._reset(one)

    @property
    def connections(self):
        with self._turn:
            return len(self._pairs)

    def cut(self):
        with self._turn:
            pairs = list(self._pairs)
        for pair in pairs:
            self._drop(pair)

    def go_down(self):
        """Cuts, and refuses whoever connects."""
        with self._turn:
            self._is_down = True
        self.cut()

    def come_up(self):
        with self._turn:
            self._is_down = False

    def close(self):
        self._listener.close()
        self.cut()
