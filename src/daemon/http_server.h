/*
 * HTTP on one listening socket: libevent's server with its limits set, and a table of pages. What
 * it bounds: clients at a time, bytes of headers and of body, the time for a request and for
 * reading its answer. For loopback and Unix sockets: there is no TLS and no flood control.
 */
#ifndef DAEMON_HTTP_SERVER_H
#define DAEMON_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>
#include <event2/http.h>

struct http_server;
struct http_hold;

/* What is asked for one path, and answered by a function. */
struct http_page {
    const char *path; /* exact, without a query */
    /* Answers with http_answer() or evhttp's own functions; at once, or after http_hold(). */
    void (*answer)(struct evhttp_request *request, void *context);
};

/* What a server serves. Pages, context and everything that they point to outlive the server. */
struct http_rules {
    const struct http_page *pages;
    size_t page_count;
    void *context;      /* handed to pages and to admits */
    unsigned methods;   /* EVHTTP_REQ_GET | ...; HEAD is answered without a body */
    size_t body_max;    /* bytes; more is refused with 413 */
    size_t clients_max; /* at a time; others wait in the backlog */
    int seconds;        /* for a whole request from connecting or from the last one on, and then
                             for its answer to be read; beyond that the client is closed */
    bool is_network;    /* TCP: a Host header must name this machine, or a web page that has its
                             name resolve to 127.0.0.1 could read the answers (DNS rebinding) */
    /* Whether the client of a connected socket may ask; else it gets 403. NULL: all may. */
    bool (*admits)(void *context, int descriptor);
};

/*
 * Serves on a listening, non-blocking socket, which it owns from here on where it succeeds. Returns
 * NULL, the socket still the caller's, where memory is short.
 */
struct http_server *http_server_create(struct event_base *loop, int descriptor,
                                       const struct http_rules *rules);

/* Takes no new clients; those that are there stay. The socket is closed. */
void http_server_close_socket(struct http_server *server);

/* Whether an answer is still to be written to some client. */
bool http_server_is_writing(const struct http_server *server);

/* Closes the socket and all clients, after telling those who hold requests that they are gone, and
 * sets *server to NULL; NULL is allowed. Not to be called from a page. */
void http_server_destroy(struct http_server **server);

/*
 * Keeps a request that is answered, or answered to its end, after its page has returned. Where the
 * client goes before, gone() is called once, the hold is over, and the request must not be used any
 * more. Returns NULL where memory is short.
 */
struct http_hold *http_hold(struct http_server *server, struct evhttp_request *request,
                            void (*gone)(void *context), void *context);

/* Ends a hold and sets *hold to NULL. The request has then to be answered to its end at once. */
struct evhttp_request *http_hold_end(struct http_hold **hold);

/* Gives a client its time anew: for an answer that is long, while it is read. */
void http_server_give_time(struct http_server *server, struct evhttp_connection *connection);

/* Ends a connection, so that its client can tell that the answer is not whole. */
void http_server_cut_off(struct evhttp_connection *connection);

/* Adds the headers that every answer has: nobody keeps it, nobody guesses at its type. type: of the
 * content, NULL for none. */
void http_answer_headers(struct evhttp_request *request, const char *type);

/* Answers with a status and a body of text. */
void http_answer(struct evhttp_request *request, int status, const char *type, const char *body);

/* The same for who may not ask: its connection is closed, so that nobody keeps a place by asking. */
void http_refuse(struct evhttp_request *request, int status, const char *why);

#endif
