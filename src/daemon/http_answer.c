#include "daemon/http_server.h"

#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "daemon/shortage.h"

void http_answer_headers(struct evhttp_request *request, const char *type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

    if (type != NULL)
        evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
}

void http_answer(struct evhttp_request *request, int status, const char *type, const char *body)
{
    struct evbuffer *output = evbuffer_new();

    http_answer_headers(request, type);
    /* A status without its words would be another answer. */
    if (output == NULL || evbuffer_add(output, body, strlen(body)) != 0) {
        shortage_note();
        status = HTTP_SERVUNAVAIL;
    }
    evhttp_send_reply(request, status, NULL, output);
    if (output != NULL)
        evbuffer_free(output);
}

void http_refuse(struct evhttp_request *request, int status, const char *why)
{
    evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
    http_answer(request, status, "text/plain; charset=utf-8", why);
}
