#include <string.h>

#include "doctor/ejabberd.h"

/* Bytes of a stanza, the longest whose password still fits the framing of a question. */
enum { STANZA_MAX = 65536 };

/* Whether nobody but this machine can reach a listener. */
static bool is_local(const struct node *listener)
{
    const struct node *address = node_find(listener, "ip");
    const struct node *port = node_find(listener, "port");

    if (port != NULL && port->kind == NODE_TEXT && strncmp(port->text, "unix:", 5) == 0)
        return true;
    return address != NULL && address->kind == NODE_TEXT &&
           (strncmp(address->text, "127.", 4) == 0 || strcmp(address->text, "::1") == 0);
}

static void check_stanza_size(struct examination *examination, const struct node *listener)
{
    const struct node *size = node_find(listener, "max_stanza_size");
    int64_t bytes = INT64_MAX;

    if (node_number(size, &bytes) == 0 && bytes <= STANZA_MAX)
        return;
    if (size != NULL && bytes == INT64_MAX && !node_is(size, "infinity") &&
        !node_is(size, "infinite") && !node_is(size, "unlimited")) {
        examination_pass(examination, &size->place, "this max_stanza_size is not known here");
        return;
    }
    findings_add(examination->findings, FINDING_STANZA_SIZE,
                 size == NULL ? &listener->place : &size->place, "max_stanza_size: 65536",
                 "this listener takes stanzas %s: some forty logins with a password of 70 kB, from "
                 "anybody, end every relay, and all logins until ejabberd is restarted",
                 size == NULL ? "of any size" : "above 65536 bytes");
    ejabberd_config_plan_in(examination->findings, listener, "max_stanza_size", "65536");
}

static void check_encryption(struct examination *examination, const struct node *listener)
{
    const struct node *required = node_find(listener, "starttls_required");
    const struct node *tls = node_find(listener, "tls");
    enum node_truth encrypted = node_truth(required, TRUTH_NO);

    if (encrypted == TRUTH_YES || node_truth(tls, TRUTH_NO) == TRUTH_YES || is_local(listener))
        return;
    if (encrypted == TRUTH_UNKNOWN || node_truth(tls, TRUTH_NO) == TRUTH_UNKNOWN) {
        examination_pass(examination, &listener->place,
                         "whether this listener asks for encryption is not known here");
        return;
    }
    findings_add(examination->findings, FINDING_ENCRYPTION,
                 required == NULL ? &listener->place : &required->place, "starttls_required: true",
                 "PLAIN is offered without encryption: whoever reads a token on its way can use it "
                 "first");
    ejabberd_config_plan_in(examination->findings, listener, "starttls_required", "true");
}

/* A handler of HTTP that takes passwords. */
struct handler {
    const char *module;
    const char *name;
    bool logs_in; /* by a chat client, whose token must not be read on the way */
    bool always;  /* a danger also where only this machine can reach it: behind a proxy */
    const char *mend;
};

static const struct handler handlers[] = {
    {"mod_bosh", "BOSH", true, false, NULL},
    {"ejabberd_http_ws", "the websocket", true, true,
     "take the line of ejabberd_http_ws out, and use BOSH in its place"},
    {"mod_http_api", "the HTTP API", false, false, "ip: \"127.0.0.1\""},
    {"ejabberd_web_admin", "the web admin", false, false, "ip: \"127.0.0.1\""},
    {"mod_mqtt", "MQTT over a websocket", true, true, "take the line of mod_mqtt out"},
};

static void check_handler(struct examination *examination, const struct node *listener,
                          const struct node *place, const struct handler *handler)
{
    bool local = is_local(listener);

    if (handler->mend != NULL && (handler->always || !local))
        findings_add(examination->findings, FINDING_OPEN_DOOR, &place->place, handler->mend,
                     "%s takes passwords of any length, which max_stanza_size does not limit: it "
                     "lets anybody end every relay, and with them all logins",
                     handler->name);
    if (handler->logs_in && !local && node_truth(node_find(listener, "tls"), TRUTH_NO) == TRUTH_NO)
        findings_add(examination->findings, FINDING_ENCRYPTION, &listener->place,
                     "tls: true, or ip: \"127.0.0.1\" behind a proxy that encrypts",
                     "%s is offered without encryption: whoever reads a token on its way can use "
                     "it first",
                     handler->name);
}

static void check_handlers(struct examination *examination, const struct node *listener)
{
    const struct node *map = node_find(listener, "request_handlers");

    if (map != NULL && map->kind != NODE_MAP) {
        examination_pass(examination, &map->place, "these request_handlers are not known here");
        return;
    }
    for (const struct node *child = map == NULL ? NULL : map->children; child != NULL;
         child = child->next) {
        for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
            if (node_is(child, handlers[i].module))
                check_handler(examination, listener, child, &handlers[i]);
        }
    }
}

static void check_listener(struct examination *examination, const struct node *listener)
{
    const struct node *module = node_find(listener, "module");

    if (listener->kind != NODE_MAP || node_has_unknown(listener) || module == NULL) {
        examination_pass(examination, &listener->place, "this listener is not known here");
    } else if (node_is(module, "ejabberd_c2s")) {
        check_stanza_size(examination, listener);
        check_encryption(examination, listener);
    } else if (node_is(module, "ejabberd_http")) {
        check_handlers(examination, listener);
    } else if (node_is(module, "mod_mqtt") && !is_local(listener)) {
        findings_add(examination->findings, FINDING_OPEN_DOOR, &module->place,
                     "take the listener of mod_mqtt out, unless it is used",
                     "MQTT takes passwords of any length, which max_stanza_size does not limit: it "
                     "lets anybody end every relay, and with them all logins");
    }
}

void ejabberd_examine_listeners(struct examination *examination,
                                const struct ejabberd_config *config)
{
    const struct node *listen = ejabberd_config_global(config, "listen");

    if (listen == NULL || listen->kind != NODE_LIST) {
        const struct place itself = {.file = config->path};

        examination_pass(examination, listen == NULL ? &itself : &listen->place,
                         "ejabberd's listeners are not known here");
        return;
    }
    for (const struct node *listener = listen->children; listener != NULL;
         listener = listener->next)
        check_listener(examination, listener);
}
