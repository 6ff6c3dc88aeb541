import sys

from mint import mint, token

for line in sys.stdin:
    call, jid, *rest = line.rstrip("\n").split("\t")
    if call == "mint":
        print(mint(jid))
    else:
        seed, secret, step, nonce = rest
        print(token(jid, seed, secret, int(step), nonce))
