/* Changes of a configuration in Lua, where a line is plain enough to be changed. */
#ifndef DOCTOR_LUA_EDIT_H
#define DOCTOR_LUA_EDIT_H

#include "doctor/findings.h"

/* Plans that the line at a place, `NAME = VALUE`, gets another value. Nothing is planned where the
 * line says anything else besides. */
void lua_edit_replace(struct findings *findings, const struct place *place, const char *name,
                      const char *value);

/* Plans a line `NAME = VALUE` behind the VirtualHost line at a place; nothing where that line does
 * more than to begin a host. */
void lua_edit_add(struct findings *findings, const struct place *place, const char *name,
                  const char *value);

#endif
