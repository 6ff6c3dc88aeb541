<?php
// Mints login tokens for a chat client, with PHP 7.4 or later (64 bits) and no extension beyond the standard ones.

/** The token of a time step and a nonce of 32 digits. Only the same values twice give the same token. */
function token(string $jid, string $otp_seed, string $token_secret, int $step, string $nonce): string
{
    $bits = '';
    foreach (str_split(strtoupper(rtrim($otp_seed, '='))) as $letter) {
        $bits .= sprintf('%05b', strpos('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', $letter));
    }
    $bytes = str_split(substr($bits, 0, strlen($bits) - strlen($bits) % 8), 8);
    $mac = hash_hmac('sha1', pack('J', $step), implode('', array_map(fn($byte) => chr(bindec($byte)), $bytes)), true);
    $number = unpack('N', $mac, ord($mac[19]) & 15)[1] & 0x7fffffff;
    $digits = sprintf('%08d', $number % 100000000) . $nonce;
    return $digits . ' ' . base64_encode(hash_hmac('sha256', $digits . $jid, $token_secret, true));
}

/** A fresh token for user@host, in lower case; the secrets come from the environment. */
function mint(string $jid): string
{
    [$otp_seed, $token_secret] = [getenv('XMPP_OTP_SEED'), getenv('XMPP_TOKEN_SECRET')];
    if (!$token_secret || !preg_match('/^[a-z2-7]+=*$/iD', (string) $otp_seed)) {
        throw new RuntimeException('XMPP_OTP_SEED and XMPP_TOKEN_SECRET are not set as they should be');
    }
    $nonce = implode('', array_map(fn() => random_int(0, 9), range(1, 32)));
    return token($jid, $otp_seed, $token_secret, intdiv(time(), 30), $nonce);
}
