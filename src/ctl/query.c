/* query auth|isuser USER@HOST: asks the running daemon as a chat server does. */

#include <string.h>

#include <openssl/crypto.h>

#include "base/nearest.h"
#include "ctl/ask.h"
#include "ctl/command.h"
#include "ctl/jid.h"
#include "ctl/presented_token.h"
#include "ctl/report.h"

struct query {
    bool login; /* auth, else isuser */
    const struct protocol *protocol;
    char text[REQUEST_MAX];
    size_t length;
};

static int take_protocol(const struct arguments *arguments, struct query *query)
{
    const char *word = arguments->values[OPTION_PROTOCOL];

    query->protocol = &protocol_ejabberd;
    if (word == NULL || strcmp(word, protocol_ejabberd.word) == 0)
        return 0;
    query->protocol = &protocol_generic;
    if (strcmp(word, protocol_generic.word) == 0)
        return 0;
    ctl_complain("--protocol takes ejabberd or generic");
    return -1;
}

/* The operand in front of USER@HOST. */
static int take_kind(struct arguments *arguments, struct query *query)
{
    static const char *const kinds[] = {"auth", "isuser"};
    const char *word = arguments->operands[0];
    const char *nearest = nearest_name(word, kinds, 2);

    query->login = strcmp(word, kinds[0]) == 0;
    if (!query->login && strcmp(word, kinds[1]) != 0) {
        ctl_complain("query asks auth USER@HOST or isuser USER@HOST%s%s%s",
                     nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest,
                     nearest == NULL ? "" : "?");
        return -1;
    }
    if (!query->login &&
        (arguments->operand_count > 2 || arguments->values[OPTION_TOKEN_FILE] != NULL)) {
        ctl_complain("query isuser takes no token");
        return -1;
    }
    /* What follows stands where the other commands have it. */
    memmove(&arguments->operands[0], &arguments->operands[1],
            (OPERANDS_MAX - 1) * sizeof(arguments->operands[0]));
    arguments->operand_count--;
    return 0;
}

/* Only what the daemon can understand is asked: a line feed in a name would be a second question.
 */
static int write_question(struct query *query, const struct jid *jid,
                          const struct presented_token *token)
{
    struct question question;

    query->length =
        jid_write_question(jid, query->login ? "auth" : "isuser", query->login ? token->text : NULL,
                           token->length, query->text);
    if (!jid_can_be_asked(jid))
        ctl_complain("%s", jid_complaint);
    else if (query->length == 0)
        ctl_complain("the question would be longer than %d bytes", REQUEST_MAX);
    else if (!jid_is_asked(jid, query->text, query->length, &question))
        ctl_complain("the token holds control characters");
    else
        return 0;
    return -1;
}

static int take_question(struct arguments *arguments, struct query *query)
{
    struct presented_token token = {.length = 0};
    struct jid jid;
    int result = -1;

    if (jid_split(arguments->operands[0], &jid) != 0)
        return -1;
    if (!query->login || presented_token_take(arguments, &token) == 0)
        result = write_question(query, &jid, &token);
    presented_token_wipe(&token);
    return result;
}

static enum ctl_status announce(enum answer answer)
{
    switch (answer) {
    case ANSWER_YES:
        puts("yes");
        return CTL_YES;
    case ANSWER_NO:
        puts("no");
        return CTL_NO;
    case ANSWER_TRY_AGAIN:
        break;
    }
    puts("try-again");
    ctl_complain("the daemon could not decide: it has just started, or can't record spent tokens; "
                 "ask again with a fresh token, and see its log");
    return CTL_ERROR;
}

static enum ctl_status ask(struct query *query, const struct arguments *arguments)
{
    enum ctl_status status = CTL_ERROR;
    enum answer answer;
    struct talk talk;

    if (ask_connect(&talk, arguments, OPTION_SOCKET) != 0)
        return CTL_ERROR;
    /* Only length-framed answers have a word for try-again, and only for those who ask for it. */
    if ((query->protocol != &protocol_ejabberd || ask_for_try_again(&talk) == 0) &&
        ask_question(&talk, query->protocol, query->text, query->length, &answer) == 0)
        status = announce(answer);
    talk_close(&talk);
    return status;
}

static enum ctl_status run_query(struct arguments *arguments)
{
    struct query query = {.length = 0};
    enum ctl_status status = CTL_ERROR;

    if (take_protocol(arguments, &query) == 0 && take_kind(arguments, &query) == 0 &&
        take_question(arguments, &query) == 0)
        status = ask(&query, arguments);
    OPENSSL_cleanse(query.text, sizeof(query.text));
    return status;
}

const struct command command_query = {
    .word = "query",
    .operands = "auth|isuser USER@HOST [TOKEN|-]",
    .operands_min = 2,
    .operands_max = 3,
    .options =
        OPTION_BIT(OPTION_SOCKET) | OPTION_BIT(OPTION_PROTOCOL) | OPTION_BIT(OPTION_TOKEN_FILE),
    .meaning = "ask the running daemon; without TOKEN: one line of standard input",
    .explanation = "Prints yes, no or try-again. Exit status: 0 yes, 1 no, 2 error or try-again.\n"
                   "A token that is answered yes is spent.\n",
    .run = run_query,
};
