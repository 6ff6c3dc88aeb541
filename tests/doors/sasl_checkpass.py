"""sasl_checkpass.py REALM ADDRESS: what a program that uses Cyrus SASL's library does. Reads lines of USER TAB PASSWORD, and
prints the library's result for each (0: right, -13: wrong). Its configuration is doors.conf in SASL_CONF_PATH; ADDRESS (empty:
none) is the client's, which newer versions of the library pass on."""

import ctypes
import sys

library = ctypes.CDLL("libsasl2.so.2")
assert library.sasl_server_init(None, b"doors") == 0
realm = sys.argv[1].encode() or None
address = sys.argv[2].encode() or None
for line in sys.stdin:
    user, password = line.rstrip("\n").encode().split(b"\t")
    connection = ctypes.c_void_p()
    assert library.sasl_server_new(b"xmpp", b"server.example.org", realm, address, address, None, 0, ctypes.byref(connection)) == 0
    print(library.sasl_checkpass(connection, user, len(user), password, len(password)), flush=True)
    library.sasl_dispose(ctypes.byref(connection))
