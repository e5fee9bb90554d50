/* authorized_keys of the fake machine; see authorized.h. An intruder who adds a key comes back with
 * it, and finds the door open, as on any host. */
#include <stdio.h>

#include "decoy/machine/file_system.h"
#include "decoy/machine/host.h"
#include "decoy/machine/process.h"
#include "decoy/protocols/ssh/authorized.h"
#include "decoy/session.h"

#define FILE_MAX ((size_t)64 * 1024)
#define BLOB_MAX 1200
#define USER_MAX 32

static bool is_plain_name(struct slice user)
{
	for (size_t i = 0; i < user.length; i++) {
		if (user.at[i] == '/' || user.at[i] == 0)
			return false;
	}
	return user.length > 0 && user.length <= USER_MAX && user.at[0] != '.';
}

static const char *home_of(const struct host *host, struct slice user, char *room, size_t size)
{
	const struct machine_account *accounts;
	size_t count = host_accounts(host, &accounts);

	for (size_t i = 0; i < count; i++) {
		if (slice_is(user, accounts[i].name))
			return accounts[i].home;
	}
	snprintf(room, size, "/home/%.*s", (int)user.length, (const char *)user.at);
	return room;
}

/* A line holds the key somewhere behind its options. */
static bool holds(struct slice contents, struct slice blob)
{
	uint8_t room[2 * BLOB_MAX];
	struct writer text = writer_fixed(room, sizeof(room));
	struct slice line, word;

	writer_base64(&text, blob);
	while (!text.failed && slice_next(&contents, '\n', &line)) {
		line = slice_trim(line);
		if (line.length == 0 || line.at[0] == '#')
			continue;
		while (slice_next(&line, ' ', &word)) {
			if (slice_equal(slice_trim(word), writer_slice(&text)))
				return true;
		}
	}
	return false;
}

bool ssh_is_authorized(struct ssh *ssh, struct slice user, struct slice blob)
{
	const struct host *host = session_trap(ssh->session)->host;
	static const struct process_identity root = {0};
	struct file_access access = {.identity = &root, .now = session_now(ssh->session)};
	char home[128], path[256];
	struct slice contents = {0};
	node_number node;
	bool found = false;
	int error;

	if (!host || !is_plain_name(user) || blob.length > BLOB_MAX)
		return false;
	access.fs = file_system_open(host_file_systems(host), &session_peer(ssh->session)->address,
				     access.now);
	if (!access.fs)
		return false;
	snprintf(path, sizeof(path), "%s/.ssh/authorized_keys",
		 home_of(host, user, home, sizeof(home)));
	node = file_system_walk(&access, file_system_root(access.fs), path, true, &error);
	if (node && file_system_contents(&access, node, &contents) == 0)
		found = holds(slice_first(contents, FILE_MAX), blob);
	file_system_close(access.fs);
	return found;
}
