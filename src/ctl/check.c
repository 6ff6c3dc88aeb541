/* check USER@HOST [TOKEN]: the verdict, offline, and why. */

#include <string.h>

#include <openssl/crypto.h>

#include "ctl/command.h"
#include "ctl/explain.h"
#include "ctl/jid.h"
#include "ctl/key_source.h"
#include "ctl/presented_token.h"
#include "ctl/report.h"

static enum ctl_status announce(enum reason reason, const char *sentence)
{
    bool allowed = reason == REASON_ALLOWED;

    printf("%s %s: %s\n", allowed ? "allow" : "deny", reason_word(reason), sentence);
    return allowed ? CTL_YES : CTL_NO;
}

static enum ctl_status judge_claim(struct key_source *source, const struct jid *jid,
                                   const struct question *question, int64_t seconds)
{
    const struct host *host = key_source_host(source, jid->host);
    const struct claim claim = {.user = question->user,
                                .user_length = question->user_length,
                                .host = question->host,
                                .host_length = question->host_length,
                                .password = question->password,
                                .password_length = question->password_length};
    struct token_verdict verdict;
    char sentence[EXPLANATION_SIZE];

    if (host == NULL)
        return announce(REASON_UNKNOWN_HOST,
                        explain_unknown_host(source->config, jid->host, sentence));
    token_judge(
        &(struct judge_keys){host->keys, host->key_fingerprints, host->key_count, host->jsxc},
        &host->format, &claim, seconds, &verdict);
    return announce(verdict.reason, explain_verdict(&verdict, host, question->password,
                                                    question->password_length, seconds, sentence));
}

static enum ctl_status judge(struct key_source *source, const struct jid *jid,
                             const struct presented_token *token, int64_t seconds)
{
    size_t maximum =
        source->config == NULL ? REQUEST_MAX : (size_t)source->config->server->max_request;
    char text[REQUEST_MAX];
    struct question question;
    size_t length = jid_write_question(jid, "auth", token->text, token->length, text);
    enum ctl_status status;

    if (!jid_can_be_asked(jid))
        status = announce(REASON_MALFORMED, jid_complaint);
    else if (length == 0 || length > maximum)
        status = announce(REASON_MALFORMED,
                          "the question would be longer than the daemon takes (max_request)");
    else if (!jid_is_asked(jid, text, length, &question))
        status = announce(REASON_MALFORMED, "the token holds control characters");
    else
        status = judge_claim(source, jid, &question, seconds);
    OPENSSL_cleanse(text, sizeof(text));
    return status;
}

static enum ctl_status run_check(struct arguments *arguments)
{
    const char *secrets = arguments->values[OPTION_SECRETS];
    enum ctl_status status = CTL_ERROR;
    struct presented_token token;
    struct key_source source;
    struct jid jid;
    int64_t seconds;

    if (jid_split(arguments->operands[0], &jid) != 0 || arguments_time(arguments, &seconds) != 0)
        return CTL_ERROR;
    if (secrets != NULL && strcmp(secrets, "-") == 0 && presented_token_is_piped(arguments)) {
        ctl_complain("standard input can't give both secrets and token: take the token from a file "
                     "with --token-file");
        return CTL_ERROR;
    }
    if (key_source_open(&source, arguments) != 0)
        return CTL_ERROR;
    if (presented_token_take(arguments, &token) == 0)
        status = judge(&source, &jid, &token, seconds);
    presented_token_wipe(&token);
    key_source_close(&source);
    return status;
}

const struct command command_check = {
    .word = "check",
    .operands = "USER@HOST [TOKEN|-]",
    .operands_min = 1,
    .operands_max = 2,
    .options = OPTION_BIT(OPTION_TIME) | OPTION_BIT(OPTION_SECRETS) | OPTION_BIT(OPTION_TOKEN_FILE),
    .meaning = "judge a token offline and say why; without TOKEN: one line of standard input",
    .explanation =
        "Prints `VERDICT REASON: sentence`. Exit status: 0 allow, 1 deny, 2 error. The running\n"
        "daemon is not asked: whether the token was spent already is not looked at.\n",
    .run = run_check,
};
