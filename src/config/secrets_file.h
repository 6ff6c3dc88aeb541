/*
 * The two secrets from a file of the web application's, unchanged: Plone's secrets.cfg as buildout
 * has it, or any INI file.
 */
#ifndef CONFIG_SECRETS_FILE_H
#define CONFIG_SECRETS_FILE_H

#include "config/settings.h"
#include "config/source_file.h"

/*
 * Reads otp_seed and token_secret, or prosody_otp_seed and prosody_token_secret, from any section
 * or from none; everything else in the file is ignored. blame_file and blame_line are where the
 * file's name stands. Fills what it finds in values (release with secret_clear()) and status_r with
 * the file's own. Returns 0, or -1 after adding problems: the file can't be opened or is open to
 * others, one of the two is missing, or has two different values.
 */
__attribute__((warn_unused_result)) int
secrets_file_read(const char *path, struct problems *problems, const char *blame_file,
                  int blame_line, struct key_values *values, struct stat *status_r);

#endif
