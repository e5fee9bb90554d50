/* The files that a session sees: the bait, and what it put there itself. */
#include <stdlib.h>

#include "decoy/protocols/ftp/ftp.h"

#define ITEMS_MAX   (FTP_UPLOADS_MAX + 32) /* of a listing: the bait is fewer than 32 */
#define HALF_YEAR   (182 * DAY)            /* older files show a year instead of a time */
#define GUEST_USER  112                    /* user "ftp" of a Debian host */
#define GUEST_GROUP 119

struct item {
	struct slice name;
	struct ftp_node node;
};

static bool append_component(struct ftp_path *path, struct slice part)
{
	if (part.length == 0 || slice_is(part, "."))
		return true;
	if (slice_is(part, "..")) {
		while (path->length > 0 && path->at[--path->length] != '/')
			;
		return true;
	}
	if (part.length > FTP_NAME_MAX || path->length + 1 + part.length > FTP_PATH_MAX)
		return false;
	path->at[path->length++] = '/';
	memcpy(path->at + path->length, part.at, part.length);
	path->length = (uint16_t)(path->length + part.length);
	return true;
}

bool ftp_resolve(const struct ftp *ftp, struct slice argument, struct ftp_path *path)
{
	struct slice part;

	path->length = 0;
	if ((argument.length == 0 || argument.at[0] != '/') && ftp->desk->folder.length > 1)
		*path = ftp->desk->folder;
	while (slice_next(&argument, '/', &part)) {
		if (!append_component(path, part))
			return false;
	}
	if (path->length == 0)
		path->at[path->length++] = '/';
	return true;
}

/* Offset of the last slash. */
static size_t last_slash(struct slice path)
{
	size_t at = path.length;

	while (at > 0 && path.at[at - 1] != '/')
		at--;
	return at ? at - 1 : 0;
}

static struct slice parent_of(struct slice path)
{
	size_t slash = last_slash(path);

	return slice_first(path, slash ? slash : 1);
}

static struct slice name_of(struct slice path)
{
	return slice_from(path, last_slash(path) + 1);
}

static struct ftp_upload *upload_at(const struct ftp *ftp, struct slice path)
{
	for (struct ftp_upload *u = ftp->uploads; u; u = u->next) {
		if (!u->gone && slice_equal(u->path, path))
			return u;
	}
	return NULL;
}

static struct ftp_node upload_node(struct ftp_upload *upload)
{
	return (struct ftp_node){.found = true,
				 .folder = upload->folder,
				 .bait = -1,
				 .upload = upload,
				 .size = upload->size,
				 .modified = upload->modified};
}

static struct ftp_node bait_node(const struct session *session, size_t i)
{
	const struct persona *persona = session_persona(session);

	return (struct ftp_node){.found = true,
				 .folder = !ftp_baits[i].make,
				 .bait = (int)i,
				 .size = ftp_bait_size(persona, i),
				 .modified = ftp_bait_modified(persona, i)};
}

struct ftp_node ftp_find(const struct session *session, const struct ftp *ftp, struct slice path)
{
	struct ftp_upload *upload = upload_at(ftp, path);

	if (upload)
		return upload_node(upload);
	if (slice_is(path, "/"))
		return (struct ftp_node){.found = true,
					 .folder = true,
					 .bait = -1,
					 .size = 4096,
					 .modified =
						 ftp_bait_modified(session_persona(session), 0)};
	for (size_t i = 0; i < ftp_bait_count; i++) {
		if (slice_is(path, ftp_baits[i].path))
			return bait_node(session, i);
	}
	return (struct ftp_node){.bait = -1};
}

bool ftp_can_make(const struct session *session, const struct ftp *ftp, struct slice path)
{
	struct ftp_node parent = ftp_find(session, ftp, parent_of(path));

	return path.length > 1 && parent.found && parent.folder;
}

struct ftp_upload *ftp_remember(struct session *session, struct ftp *ftp, struct slice path)
{
	struct ftp_upload *upload = upload_at(ftp, path);

	if (!upload) {
		/* A place once taken stays taken: the arena gives nothing back. */
		if (ftp->upload_count >= FTP_UPLOADS_MAX)
			return NULL;
		upload = arena_take(session_arena(session), sizeof(*upload));
		if (!upload)
			return NULL;
		upload->path = arena_copy(session_arena(session), path);
		if (!upload->path.at)
			return NULL;
		upload->next = ftp->uploads;
		ftp->uploads = upload;
		ftp->upload_count++;
	}
	upload->modified = session_now(session);
	return upload;
}

static bool lies_in(struct slice path, struct slice folder)
{
	return path.length > 1 && slice_equal(parent_of(path), folder);
}

/* '*' and '?', by the usual two-pointer walk, which never takes more than length times length. */
static bool fits(struct slice pattern, struct slice name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, mark = 0;

	while (n < name.length) {
		if (p < pattern.length && pattern.at[p] == '*') {
			star = p++;
			mark = n;
		} else if (p < pattern.length &&
			   (pattern.at[p] == '?' || pattern.at[p] == name.at[n])) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.length && pattern.at[p] == '*')
		p++;
	return p == pattern.length;
}

static int by_name(const void *a, const void *b)
{
	return slice_compare(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static size_t children(const struct session *session, const struct ftp *ftp, struct slice folder,
		       struct slice pattern, bool hidden, struct item items[ITEMS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < ftp_bait_count && count < ITEMS_MAX; i++) {
		struct slice path = slice_text(ftp_baits[i].path);

		if (lies_in(path, folder) && fits(pattern, name_of(path)) && !upload_at(ftp, path))
			items[count++] = (struct item){name_of(path), bait_node(session, i)};
	}
	for (struct ftp_upload *u = ftp->uploads; u && count < ITEMS_MAX; u = u->next) {
		struct slice name = name_of(u->path);

		if (!u->gone && lies_in(u->path, folder) && fits(pattern, name) &&
		    (hidden || name.at[0] != '.'))
			items[count++] = (struct item){name, upload_node(u)};
	}
	qsort(items, count, sizeof(items[0]), by_name);
	return count;
}

bool ftp_is_empty(const struct session *session, const struct ftp *ftp, struct slice path)
{
	struct item items[ITEMS_MAX];

	return children(session, ftp, path, SLICE("*"), true, items) == 0;
}

static void write_line(const struct session *session, const struct ftp *ftp,
		       const struct item *item, bool long_form, struct writer *out)
{
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const struct ftp_node *node = &item->node;
	struct civil_time when = clock_civil(node->modified);
	bool by_guest = node->upload && ftp->guest;
	const char *mode = node->folder ? "drwxr-xr-x" : by_guest ? "-rw-------" : "-rw-r--r--";

	if (long_form) {
		writer_format(out, "%s %4d %-8d %-8d %8llu %s %02d ", mode, node->folder ? 2 : 1,
			      by_guest ? GUEST_USER : 1000, by_guest ? GUEST_GROUP : 1000,
			      (unsigned long long)node->size, months[when.month - 1], when.day);
		if (session_now(session) - node->modified > HALF_YEAR)
			writer_format(out, " %d ", when.year);
		else
			writer_format(out, "%02d:%02d ", when.hour, when.minute);
	}
	ftp_write_shown(out, item->name);
	writer_text(out, "\r\n");
}

bool ftp_make_list(const struct session *session, const struct ftp *ftp, struct slice path,
		   bool long_form, bool hidden, struct writer *out)
{
	struct ftp_node node = ftp_find(session, ftp, path);
	struct slice folder = path, pattern = SLICE("*");
	struct item items[ITEMS_MAX];
	size_t count;

	if (!node.found || !node.folder) {
		folder = parent_of(path);
		pattern = name_of(path);
		if (!ftp_can_make(session, ftp, path))
			return false;
	} else if (hidden) {
		write_line(session, ftp, &(struct item){SLICE("."), node}, long_form, out);
		write_line(session, ftp, &(struct item){SLICE(".."), node}, long_form, out);
	}
	count = children(session, ftp, folder, pattern, hidden, items);
	for (size_t i = 0; i < count; i++)
		write_line(session, ftp, &items[i], long_form, out);
	return true;
}
