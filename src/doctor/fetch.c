#include "doctor/fetch.h"

#include <string.h>
#include <strings.h>

#include <curl/curl.h>

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct fetched *fetched = context;

    (void)one;
    /* Fewer than were given end the transfer. */
    if (size > sizeof(fetched->body) - fetched->size)
        return 0;
    memcpy(fetched->body + fetched->size, bytes, size);
    fetched->size += size;
    return size;
}

/* Whether a header line of length bytes has a name, and its value a word among commas; word NULL:
 * any value. */
static bool header_has(const char *line, size_t length, const char *name, const char *word)
{
    size_t name_length = strlen(name);

    if (length <= name_length || strncasecmp(line, name, name_length) != 0 ||
        line[name_length] != ':')
        return false;
    if (word == NULL)
        return true;
    for (size_t at = name_length + 1; at + strlen(word) <= length; at++) {
        size_t end = at + strlen(word);

        if (strncasecmp(line + at, word, strlen(word)) == 0 &&
            strchr(" \t,:", line[at - 1]) != NULL &&
            (end == length || strchr(" \t,\r\n", line[end]) != NULL))
            return true;
    }
    return false;
}

static size_t on_header(char *line, size_t one, size_t length, void *context)
{
    struct fetched *fetched = context;

    (void)one;
    if (header_has(line, length, "Cache-Control", "no-store"))
        fetched->no_store = true;
    if (header_has(line, length, "Access-Control-Allow-Origin", NULL))
        fetched->cross_origin = true;
    return length;
}

static CURLcode set_options(CURL *handle, const char *url, const char *cookie, const char *ca_file,
                            struct fetched *fetched)
{
    CURLcode failed = curl_easy_setopt(handle, CURLOPT_URL, url);

#if LIBCURL_VERSION_NUM >= 0x075500
    failed |= curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    failed |= curl_easy_setopt(handle, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    failed |= curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    failed |= curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    failed |= curl_easy_setopt(handle, CURLOPT_TIMEOUT, (long)FETCH_SECONDS_MAX);
    failed |= curl_easy_setopt(handle, CURLOPT_USERAGENT, "xmpp-authctl/" XMPP_AUTHD_VERSION);
    failed |= curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    failed |= curl_easy_setopt(handle, CURLOPT_WRITEDATA, fetched);
    failed |= curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    failed |= curl_easy_setopt(handle, CURLOPT_HEADERDATA, fetched);
    if (cookie != NULL)
        failed |= curl_easy_setopt(handle, CURLOPT_COOKIE, cookie);
    if (ca_file != NULL)
        failed |= curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file);
    return failed;
}

const char *fetch(const char *url, const char *cookie, const char *ca_file,
                  struct fetched *fetched_r)
{
    CURL *handle = curl_easy_init();
    CURLcode failure = CURLE_OUT_OF_MEMORY;

    *fetched_r = (struct fetched){.status = 0};
    if (handle != NULL) {
        failure = set_options(handle, url, cookie, ca_file, fetched_r) != CURLE_OK
                      ? CURLE_FAILED_INIT
                      : curl_easy_perform(handle);
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &fetched_r->status);
        curl_easy_cleanup(handle);
    }
    if (failure == CURLE_WRITE_ERROR)
        return "the answer is longer than any credentials";
    return failure == CURLE_OK ? NULL : curl_easy_strerror(failure);
}
