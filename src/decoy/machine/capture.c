/* What the owner learns of a log-in: command lines, input to programs, downloads that were asked
 * for, and the files that were written. */
#include <stdlib.h>

#include "base/hash.h"
#include "decoy/machine/process_state.h"

/* The event's user is whose process it is, by name where the log-in tells it. */
static struct event *begin(struct process *process, const char *action)
{
	struct event *event = session_event(process->machine->session, action);

	event_set_words(event, FIELD_USER_NAME, process->machine->user);
	return event;
}

void process_report_command(struct process *process, struct slice line)
{
	struct event *event;

	if (slice_trim(line).length == 0)
		return;
	event = begin(process, "command.input");
	event_set_text(event, FIELD_COMMAND, line);
	session_report(process->machine->session, event);
}

void process_report_input(struct process *process, struct slice line)
{
	struct event *event = begin(process, "protocol.request");

	event_set_words(event, FIELD_REQUEST_VERB, "input");
	event_set_text(event, FIELD_REQUEST_TEXT, line);
	event_set_words(event, FIELD_COMMAND, process->name);
	session_report(process->machine->session, event);
}

void process_report_download(struct process *process, struct slice url, const char *error)
{
	struct event *event = begin(process, "download.attempt");

	event_set_text(event, FIELD_URL_ORIGINAL, url);
	event_set_words(event, FIELD_COMMAND, process->name);
	if (error)
		event_set_words(event, FIELD_EVENT_REASON, error);
	event_set_words(event, FIELD_EVENT_OUTCOME, "failure");
	session_report(process->machine->session, event);
}

/* --- files that were written --- */

static void forget_changed(struct machine *machine, size_t index)
{
	struct changed_file *changed = &machine->changed[index];

	file_system_release(machine->files, changed->node);
	if (changed->path)
		machine_give(machine, changed->path, strlen(changed->path) + 1);
	machine->changed_count--;
	memmove(changed, changed + 1, (machine->changed_count - index) * sizeof(*changed));
}

static struct file_access access_of_root(struct machine *machine)
{
	static const struct process_identity root = {0};

	return (struct file_access){machine->files, &root, NULL, session_now(machine->session)};
}

/* Takes what a piece costs from what the log-in has left; false: that is not enough. */
static bool charge(struct machine *machine, struct slice name, uint64_t length)
{
	uint64_t cost = length + name.length + MACHINE_EVIDENCE_PIECE;

	if (!machine->evidence_left)
		return true;
	if (cost > *machine->evidence_left)
		return false;
	*machine->evidence_left -= cost;
	return true;
}

/* What the log-in has no room left for is told, with its hashes, and not kept. */
static void tell_unkept(struct machine *machine, struct slice name, struct slice bytes)
{
	uint8_t sha256[SHA256_LENGTH], md5[MD5_LENGTH];
	uint8_t room[SHA256_HEX + 2 * MD5_LENGTH];
	struct writer hex = writer_fixed(room, sizeof(room));
	struct event *event = session_event(machine->session, "payload.captured");

	hash_sha256_once(bytes, sha256);
	hash_md5_once(bytes, md5);
	writer_hex(&hex, slice_of(sha256, sizeof(sha256)));
	writer_hex(&hex, slice_of(md5, sizeof(md5)));
	event_set_text(event, FIELD_FILE_NAME, name);
	event_set_number(event, FIELD_FILE_SIZE, (int64_t)bytes.length);
	event_set_text(event, FIELD_FILE_SHA256, slice_of(room, SHA256_HEX));
	event_set_text(event, FIELD_FILE_MD5, slice_of(room + SHA256_HEX, 2 * MD5_LENGTH));
	event_set_words(event, FIELD_EVIDENCE_KIND, "payload");
	event_set_words(event, FIELD_EVIDENCE_ORIGIN, "file");
	event_set_words(event, FIELD_EVENT_OUTCOME, "failure");
	event_set_words(event, FIELD_EVENT_REASON, "beyond the log-in's evidence limit");
	session_report(machine->session, event);
}

static void keep_changed(struct machine *machine, size_t index)
{
	struct changed_file *changed = &machine->changed[index];
	struct file_access access = access_of_root(machine);
	struct slice name = slice_text(changed->path ? changed->path : ""), bytes;

	if (file_system_contents(&access, changed->node, &bytes) == 0 && bytes.length) {
		if (charge(machine, name, bytes.length))
			session_keep(machine->session, EVIDENCE_PAYLOAD, "file", name, bytes);
		else
			tell_unkept(machine, name, bytes);
	}
	forget_changed(machine, index);
}

/* A file is kept once it is finished with: run, renamed, removed, pushed out by others, or when the
 * log-in ends; not at every close, since droppers append to a file a hundred times. */
void capture_changed(struct machine *machine, node_number node, const char *path)
{
	struct file_access access = access_of_root(machine);
	struct changed_file *changed;

	for (size_t i = 0; i < machine->changed_count; i++)
		if (machine->changed[i].node == node)
			return;
	if (machine->changed_count == CHANGED_MAX)
		keep_changed(machine, 0);
	if (file_system_hold(&access, node) < 0)
		return;
	changed = &machine->changed[machine->changed_count++];
	changed->node = node;
	changed->path = path ? machine_take(machine, strlen(path) + 1) : NULL;
	if (changed->path)
		memcpy(changed->path, path, strlen(path) + 1);
}

void capture_keep(struct machine *machine, node_number node)
{
	for (size_t i = machine->changed_count; i-- > 0;)
		if (node == 0 || machine->changed[i].node == node)
			keep_changed(machine, node == 0 ? 0 : i);
}
