using System;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

/// <summary>Mints login tokens for a chat client, with .NET or Mono and nothing else.</summary>
public static class Minter
{
    /// <summary>The token of a time step and a nonce of 32 digits. Only the same values twice give the same token.</summary>
    public static string Token(string jid, string otpSeed, string tokenSecret, long step, string nonce)
    {
        var bits = string.Concat(otpSeed.ToUpperInvariant().TrimEnd('=').Select(letter =>
            Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter), 2).PadLeft(5, '0')));
        var seed = Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(8 * i, 8), 2)).ToArray();
        var counter = Enumerable.Range(0, 8).Select(i => (byte)(step >> (56 - 8 * i))).ToArray();
        var mac = new HMACSHA1(seed).ComputeHash(counter);
        int at = mac[19] & 15, number = (mac[at] & 127) << 24 | mac[at + 1] << 16 | mac[at + 2] << 8 | mac[at + 3];
        var digits = (number % 100000000).ToString("D8") + nonce;
        var signature = new HMACSHA256(Encoding.UTF8.GetBytes(tokenSecret)).ComputeHash(Encoding.UTF8.GetBytes(digits + jid));
        return digits + " " + Convert.ToBase64String(signature);
    }

    /// <summary>A fresh token for user@host, in lower case; the secrets come from the environment.</summary>
    public static string Mint(string jid)
    {
        var otpSeed = Environment.GetEnvironmentVariable("XMPP_OTP_SEED") ?? "";
        var tokenSecret = Environment.GetEnvironmentVariable("XMPP_TOKEN_SECRET") ?? "";
        if (tokenSecret == "" || !Regex.IsMatch(otpSeed, "^[A-Za-z2-7]+=*$"))
            throw new InvalidOperationException("XMPP_OTP_SEED and XMPP_TOKEN_SECRET are not set as they should be");
        var (nonce, one) = ("", new byte[1]);
        using (var random = RandomNumberGenerator.Create())
            for (random.GetBytes(one); nonce.Length < 32; random.GetBytes(one))
                nonce += one[0] < 250 ? (one[0] % 10).ToString() : ""; // 250 and more would favour some digits
        return Token(jid, otpSeed, tokenSecret, DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30, nonce);
    }
}
