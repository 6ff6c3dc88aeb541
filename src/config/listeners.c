#include "config/listeners.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/number.h"

/* Bytes of a path that a socket's address holds, its end included. */
enum { SOCKET_ADDRESS_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) };

static const char default_group[] = "xmpp-authd-clients";

struct builder {
    struct config *config;
    struct problems *problems;
};

static void complain(struct builder *builder, const struct section *section, const char *setting,
                     const char *complaint)
{
    problems_error(builder->problems, builder->config->path, section_line_of(section, setting),
                   "%s %s", setting, complaint);
}

static void *take_memory(struct builder *builder, size_t count, size_t size)
{
    void *memory = arena_alloc(&builder->config->arena, count * size);

    if (memory == NULL)
        problems_error(builder->problems, builder->config->path, 0, "memory is short");
    return memory;
}

static bool parse_id(const char *name, int64_t *id_r)
{
    return number_parse(name, strlen(name), id_r) == 0 && *id_r < UINT32_MAX;
}

static bool find_user(const char *name, uid_t *user_r)
{
    const struct passwd *entry = getpwnam(name);
    int64_t id = 0;

    if (entry == NULL && !parse_id(name, &id))
        return false;
    *user_r = entry != NULL ? entry->pw_uid : (uid_t)id;
    return true;
}

static bool find_group(const char *name, gid_t *group_r)
{
    const struct group *entry = getgrnam(name);
    int64_t id = 0;

    if (entry == NULL && !parse_id(name, &id))
        return false;
    *group_r = entry != NULL ? entry->gr_gid : (gid_t)id;
    return true;
}

static gid_t socket_group(struct builder *builder, const struct section *section,
                          const struct access_values *access)
{
    const struct group *clients = getgrnam(default_group);
    gid_t group = clients != NULL ? clients->gr_gid : getegid();

    if (access->group != NULL && !find_group(access->group, &group))
        complain(builder, section, "group", "names a group that does not exist");
    return group;
}

static void build_peers(struct builder *builder, const struct section *section,
                        const struct access_values *access, struct peer_rule *peers)
{
    peers->users = take_memory(builder, access->allow_users.count + 1, sizeof(uid_t));
    peers->groups = take_memory(builder, access->allow_groups.count + 1, sizeof(gid_t));
    if (peers->users == NULL || peers->groups == NULL)
        return;
    for (size_t i = 0; i < access->allow_users.count; i++) {
        if (find_user(access->allow_users.names[i], &peers->users[peers->user_count]))
            peers->user_count++;
        else
            complain(builder, section, "allow_users", "names a user that does not exist");
    }
    for (size_t i = 0; i < access->allow_groups.count; i++) {
        if (find_group(access->allow_groups.names[i], &peers->groups[peers->group_count]))
            peers->group_count++;
        else
            complain(builder, section, "allow_groups", "names a group that does not exist");
    }
}

static bool is_taken_path(const struct config *config, const char *path)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        if (strcmp(config->listeners[i].path, path) == 0)
            return true;
    }
    for (size_t i = 0; i < config->http_door_count; i++) {
        const char *other = config->http_doors[i].at.address.path;

        if (other != NULL && strcmp(other, path) == 0)
            return true;
    }
    return false;
}

/* What does not fit together in its section is complained of by doors_check(). */
static void add_http_door(struct builder *builder, const struct section *section)
{
    const struct listen_values *values = section->values;
    struct http_door *door = &builder->config->http_doors[builder->config->http_door_count];

    if (values->path == NULL && values->address.host == NULL && values->address.path == NULL) {
        /* A bad value was complained of already; an empty address is none. */
        bool is_bad = problems_have_error(builder->problems) &&
                      (section_sets(section, "path") || section_sets(section, "address"));

        if (!is_bad)
            complain(builder, section, "path", "is missing, and so is address");
        return;
    }
    if (values->path != NULL && is_taken_path(builder->config, values->path))
        complain(builder, section, "path", "is another listener's already");
    *door = (struct http_door){.name = section->names[0],
                               .at.address = values->address,
                               .at.mode = (mode_t)values->access.mode,
                               .at.group = socket_group(builder, section, &values->access),
                               .user = values->http_user,
                               .password = &values->http_password};
    if (values->path != NULL)
        door->at.address = (struct http_address){.path = values->path};
    build_peers(builder, section, &values->access, &door->peers);
    builder->config->http_door_count++;
}

/* Adds what the section says beside access. */
static void add_listener(struct builder *builder, const struct section *section,
                         const struct listener *given, const struct access_values *access)
{
    struct listener *listener = &builder->config->listeners[builder->config->listener_count];
    const char *setting = given->name[0] == '\0' ? "listen" : "path";
    const char *path = given->path;

    if (path == NULL) {
        /* A bad value was complained of already. */
        if (!section_sets(section, setting))
            complain(builder, section, setting, "is missing");
        return;
    }
    if (is_taken_path(builder->config, path))
        complain(builder, section, setting, "is another listener's already");
    *listener = *given;
    listener->mode = (mode_t)access->mode;
    listener->group = socket_group(builder, section, access);
    build_peers(builder, section, access, &listener->peers);
    builder->config->listener_count++;
}

/* control.sock in the directory of the first listener. */
static const char *default_control_path(struct builder *builder)
{
    static const char name[] = "control.sock";
    const char *beside = builder->config->listeners[0].path;
    size_t directory = (size_t)(strrchr(beside, '/') - beside) + 1;
    char *path = take_memory(builder, directory + sizeof(name), 1);

    if (path == NULL)
        return NULL;
    memcpy(path, beside, directory);
    memcpy(path + directory, name, sizeof(name));
    if (strlen(path) >= SOCKET_ADDRESS_MAX)
        problems_error(
            builder->problems, builder->config->path,
            section_line_of(section_single(&builder->config->sections, SECTION_SERVER), "listen"),
            "control.sock beside this socket has a path of more than 107 bytes: set "
            "listen in [control]");
    return path;
}

static void build_control(struct builder *builder)
{
    struct config *config = builder->config;
    const struct section *section = section_single(&config->sections, SECTION_CONTROL);
    const struct control_values *values = section->values;

    config->control_path = values->listen;
    if (config->control_path == NULL && config->listener_count > 0)
        config->control_path = default_control_path(builder);
    if (config->control_path != NULL && is_taken_path(config, config->control_path))
        complain(builder, section, "listen", "is a listener's already");
}

static void build_http(struct builder *builder)
{
    struct config *config = builder->config;
    const struct section *section = section_single(&config->sections, SECTION_HTTP);
    const struct http_values *values = section->values;
    const char *path = values->listen.path;
    gid_t group = getegid();

    if (values->group != NULL && !find_group(values->group, &group))
        complain(builder, section, "group", "names a group that does not exist");
    config->http = (struct http_listener){values->listen, (mode_t)values->mode, group};
    if (path != NULL && is_taken_path(config, path))
        complain(builder, section, "listen", "is another listener's already");
    if (path != NULL && config->control_path != NULL && strcmp(config->control_path, path) == 0)
        complain(builder, section, "listen", "is the control socket's already");
}

/* Sockets that a service manager hands over are told apart by name, and these have none else. */
static bool is_taken_name(const char *name)
{
    return strcmp(name, "server") == 0 || strcmp(name, "control") == 0 || strcmp(name, "http") == 0;
}

static void add_further_listener(struct builder *builder, const struct section *section)
{
    const struct listen_values *values = section->values;
    const struct listener given = {.name = section->names[0],
                                   .path = values->path,
                                   .protocol = (enum protocol_choice)values->protocol,
                                   .host = values->host};

    if (is_taken_name(given.name))
        problems_error(builder->problems, builder->config->path, section->line,
                       "the sections server, control and http have the sockets of these names: "
                       "give this listener another");
    else if (values->protocol == PROTOCOL_HTTP)
        add_http_door(builder, section);
    else
        add_listener(builder, section, &given, &values->access);
}

void listeners_build(struct config *config, struct problems *problems)
{
    struct builder builder = {config, problems};
    const struct section *server = section_single(&config->sections, SECTION_SERVER);
    size_t count = 1;

    for (const struct section *section = server; section != NULL; section = section->next)
        count += section->kind == SECTION_LISTEN;
    config->listeners = take_memory(&builder, count, sizeof(struct listener));
    config->http_doors = take_memory(&builder, count, sizeof(struct http_door));
    if (config->listeners == NULL || config->http_doors == NULL)
        return;
    add_listener(
        &builder, server,
        &(struct listener){.name = "", .path = config->server->listen, .protocol = PROTOCOL_AUTO},
        &config->server->access);
    for (const struct section *section = server; section != NULL; section = section->next) {
        if (section->kind == SECTION_LISTEN)
            add_further_listener(&builder, section);
    }
    build_control(&builder);
    build_http(&builder);
}

static bool opens_for(gid_t own_group, mode_t mode, gid_t group)
{
    return own_group == group && (mode & 0020) != 0;
}

/* The path of a socket that the group may open; NULL: there is none. */
static const char *path_of_group(const struct config *config, gid_t group)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        if (opens_for(config->listeners[i].group, config->listeners[i].mode, group))
            return config->listeners[i].path;
    }
    for (size_t i = 0; i < config->http_door_count; i++) {
        const struct http_listener *at = &config->http_doors[i].at;

        if (at->address.path != NULL && opens_for(at->group, at->mode, group))
            return at->address.path;
    }
    return NULL;
}

void listeners_check_groups(const struct config *config, const struct secrets_holder *holders,
                            struct problems *problems)
{
    for (const struct secrets_holder *holder = holders; holder != NULL; holder = holder->next) {
        const char *path = path_of_group(config, holder->status.st_gid);

        if (path == NULL || (holder->status.st_mode & 0040) == 0)
            continue;
        problems_error(problems, config->path, holder->blame_line,
                       "%s can be read by the group that may open %s: a chat server could mint "
                       "tokens for anybody; chmod g-r it or give it another group",
                       holder->path, path);
    }
}
