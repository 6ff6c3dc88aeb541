"""What a hash has made of one block: what HMAC's key is turned into, for a search of the daemon's memory."""

import hashlib
import struct

MASK = 0xFFFFFFFF


def _primes(count):
    found = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _root_bits(number, power):
    """The first 32 bits of the fraction of a prime's root."""
    low, high = 0, number << 32
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**power <= number << (32 * power) else (low, middle)
    return low & MASK


def _rotate(word, bits):
    return (word << bits | word >> (32 - bits)) & MASK


SHA256_BEGIN = [_root_bits(prime, 2) for prime in _primes(8)]
SHA256_ROUNDS = [_root_bits(prime, 3) for prime in _primes(64)]
SHA1_BEGIN = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0]


def sha256_state(block):
    """SHA-256's eight words after a first block of 64 bytes (FIPS 180-4 section 6.2.2)."""
    words = list(struct.unpack(">16I", block))
    for i in range(16, 64):
        near, far = words[i - 15], words[i - 2]
        s0 = _rotate(near, 25) ^ _rotate(near, 14) ^ near >> 3
        s1 = _rotate(far, 15) ^ _rotate(far, 13) ^ far >> 10
        words.append(words[i - 16] + s0 + words[i - 7] + s1 & MASK)
    a, b, c, d, e, f, g, h = SHA256_BEGIN
    for word, constant in zip(words, SHA256_ROUNDS):
        choice = e & f ^ ~e & g
        first = h + (_rotate(e, 26) ^ _rotate(e, 21) ^ _rotate(e, 7)) + choice + constant + word
        second = (_rotate(a, 30) ^ _rotate(a, 19) ^ _rotate(a, 10)) + (a & b ^ a & c ^ b & c)
        a, b, c, d, e, f, g, h = first + second & MASK, a, b, c, d + first & MASK, e, f, g
    return [x + y & MASK for x, y in zip(SHA256_BEGIN, (a, b, c, d, e, f, g, h))]


def sha1_state(block):
    """SHA-1's five words after a first block of 64 bytes (FIPS 180-4 section 6.1.2)."""
    words = list(struct.unpack(">16I", block))
    for i in range(16, 80):
        words.append(_rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1))
    a, b, c, d, e = SHA1_BEGIN
    for i, word in enumerate(words):
        mixed, constant = [(b & c | ~b & d, 0x5A827999), (b ^ c ^ d, 0x6ED9EBA1),
                           (b & c | b & d | c & d, 0x8F1BBCDC), (b ^ c ^ d, 0xCA62C1D6)][i // 20]
        a, b, c, d, e = _rotate(a, 5) + (mixed & MASK) + e + word + constant & MASK, a, _rotate(b, 30), c, d
    return [x + y & MASK for x, y in zip(SHA1_BEGIN, (a, b, c, d, e))]


def states_of_key(state, key):
    """HMAC's inner and outer state of a key of at most 64 bytes, as they stand in this machine's memory."""
    block = key.ljust(64, b"\0")
    mixed = [bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C)]
    return [struct.pack(f"={len(words)}I", *words) for words in map(state, mixed)]


# Against the standard's own words: an empty message is one block.
_EMPTY = b"\x80".ljust(64, b"\0")
assert struct.pack(">8I", *sha256_state(_EMPTY)) == hashlib.sha256().digest()
assert struct.pack(">5I", *sha1_state(_EMPTY)) == hashlib.sha1().digest()
