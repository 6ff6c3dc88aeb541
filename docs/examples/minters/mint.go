// Package mint mints login tokens for a chat client, with Go's standard library alone.
package mint

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"time"
)

// Token is the token of a time step and a nonce of 32 digits. Only the same values twice give the same token.
func Token(jid, otpSeed, tokenSecret string, step int64, nonce string) (string, error) {
	bare := strings.TrimRight(strings.ToUpper(otpSeed), "=")
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(bare)
	if err != nil || len(seed) == 0 || tokenSecret == "" {
		return "", errors.New("XMPP_OTP_SEED and XMPP_TOKEN_SECRET are not set as they should be")
	}
	mac := hmac.New(sha1.New, seed)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	number := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	digits := fmt.Sprintf("%08d%s", number%100000000, nonce)
	mac = hmac.New(sha256.New, []byte(tokenSecret))
	mac.Write([]byte(digits + jid))
	return digits + " " + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}

// Mint is a fresh token for user@host, in lower case; the secrets come from the environment.
func Mint(jid string) (string, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(32), nil))
	if err != nil {
		return "", err
	}
	step := time.Now().Unix() / 30
	return Token(jid, os.Getenv("XMPP_OTP_SEED"), os.Getenv("XMPP_TOKEN_SECRET"), step, fmt.Sprintf("%032d", nonce))
}
