import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.*;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import static java.nio.charset.StandardCharsets.UTF_8;

/** Mints login tokens for a chat client, with Java 11 or later and its standard library alone. */
public final class Mint {
    /** The token of a time step and a nonce of 32 digits. Only the same values twice give the same token. */
    public static String token(String jid, String otpSeed, String tokenSecret, long step, String nonce) throws Exception {
        var bits = new StringBuilder("1"); // holds the place of zeros behind it
        for (char letter : otpSeed.toUpperCase(Locale.ROOT).replaceAll("=+$", "").toCharArray())
            bits.append(Integer.toBinaryString(32 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter)).substring(1));
        byte[] seed = new BigInteger(bits.substring(0, bits.length() - (bits.length() - 1) % 8), 2).toByteArray();
        byte[] mac = hmac("HmacSHA1", Arrays.copyOfRange(seed, 1, seed.length), ByteBuffer.allocate(8).putLong(step).array());
        int number = ByteBuffer.wrap(mac).getInt(mac[19] & 15) & 0x7fffffff;
        String digits = String.format(Locale.ROOT, "%08d", number % 100000000) + nonce;
        byte[] signature = hmac("HmacSHA256", tokenSecret.getBytes(UTF_8), (digits + jid).getBytes(UTF_8));
        return digits + " " + Base64.getEncoder().encodeToString(signature);
    }

    /** A fresh token for user@host, in lower case; the secrets come from the environment. */
    public static String mint(String jid) throws Exception {
        String otpSeed = System.getenv("XMPP_OTP_SEED"), tokenSecret = System.getenv("XMPP_TOKEN_SECRET");
        if (tokenSecret == null || otpSeed == null || !otpSeed.matches("[A-Za-z2-7]+=*"))
            throw new IllegalStateException("XMPP_OTP_SEED and XMPP_TOKEN_SECRET are not set as they should be");
        var nonce = new StringBuilder();
        new SecureRandom().ints(32, 0, 10).forEach(nonce::append);
        return token(jid, otpSeed, tokenSecret, Math.floorDiv(System.currentTimeMillis(), 30000L), nonce.toString());
    }

    private static byte[] hmac(String algorithm, byte[] key, byte[] message) throws Exception {
        Mac mac = Mac.getInstance(algorithm);
        mac.init(new SecretKeySpec(key, algorithm));
        return mac.doFinal(message);
    }
}
