/* The fake machine's file system: layers, rights, rename, limits, journals of two workers. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "decoy/machine/file_system_inside.h"

#define NOW (1790000000 * SECOND)

struct world {
	struct image *image;
	struct file_systems *all;
	struct file_access root, user;
	struct process_identity identity;
	char folder[64];
	int descriptor;
};

static struct image *small_image(void)
{
	static const uint64_t key[2] = {1, 2};
	struct image_builder *builder = image_builder_new(key);
	uint8_t start[256];
	size_t length = image_elf_start(IMAGE_X86_64, 7, start, sizeof(start));
	const struct image_item items[] = {
		{.path = "/etc/passwd", .mode = S_IFREG | 0644, .contents = SLICE("root:x:0:0\n")},
		{.path = "/etc/shadow",
		 .mode = S_IFREG | 0640,
		 .gid = 42,
		 .contents = SLICE("x\n")},
		{.path = "/etc/conf.d/a", .mode = S_IFREG | 0644, .contents = SLICE("a")},
		{.path = "/etc/conf.d/b", .mode = S_IFREG | 0644, .contents = SLICE("b")},
		{.path = "/usr/bin/ls",
		 .mode = S_IFREG | 0755,
		 .contents = slice_of(start, length),
		 .seeded = true,
		 .program = true},
		{.path = "/bin", .mode = S_IFLNK | 0777, .target = "usr/bin"},
		{.path = "/tmp", .mode = S_IFDIR | 01777},
		{.path = "/home/jo", .mode = S_IFDIR | 0755, .uid = 1000, .gid = 1000},
		{.path = "/root", .mode = S_IFDIR | 0700},
		{.path = "/loop", .mode = S_IFLNK | 0777, .target = "loop"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(items); i++)
		assert_int_equal(image_builder_add(builder, &items[i]), 0);
	assert_int_equal(image_builder_link(builder, "/usr/bin/dir", "/usr/bin/ls"), 0);
	return image_builder_finish(builder);
}

static struct address somebody(unsigned number)
{
	return address_v4(0xc0000200u + number);
}

static void look_as(struct world *world, struct file_system *fs)
{
	world->root = (struct file_access){.fs = fs, .now = NOW};
	world->identity = (struct process_identity){
		.uid = 1000, .gid = 1000, .effective_uid = 1000, .effective_gid = 1000};
	world->user = world->root;
	world->user.identity = &world->identity;
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct address source = somebody(1);

	snprintf(world->folder, sizeof(world->folder), "/tmp/file_system_test.XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	world->descriptor = open(world->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(world->descriptor >= 0);
	world->image = small_image();
	assert_non_null(world->image);
	world->all = file_systems_new(world->image, NULL, world->descriptor);
	look_as(world, file_system_open(world->all, &source, NOW));
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	char command[128];

	file_system_close(world->root.fs);
	file_systems_free(world->all);
	image_free(world->image);
	close(world->descriptor);
	snprintf(command, sizeof(command), "rm -rf '%s'", world->folder);
	assert_int_equal(system(command), 0);
	free(world);
	return 0;
}

static node_number walk(const struct file_access *access, const char *path, int *error)
{
	return file_system_walk(access, file_system_root(access->fs), path, true, error);
}

static node_number node(const struct file_access *access, const char *path)
{
	int error = 0;
	node_number number = walk(access, path, &error);

	assert_int_equal(error, 0);
	assert_true(number);
	return number;
}

static int failure(const struct file_access *access, const char *path)
{
	int error = 0;

	assert_false(walk(access, path, &error));
	return error;
}

static node_number make(const struct file_access *access, const char *folder, const char *name,
			unsigned mode)
{
	node_number made = 0;

	assert_int_equal(file_system_make(access, node(access, folder), name, mode, 0, 0, &made),
			 0);
	return made;
}

static void put(const struct file_access *access, const char *folder, const char *name,
		const char *text)
{
	node_number made = make(access, folder, name, S_IFREG | 0644);

	assert_int_equal(file_system_write(access, made, 0, slice_text(text)), strlen(text));
	assert_int_equal(file_system_hold(access, made), 0);
	file_system_release(access->fs, made);
}

static void assert_text(const struct file_access *access, const char *path, const char *text)
{
	char room[256];
	ssize_t got = file_system_read(access, node(access, path), 0, room, sizeof(room) - 1);

	assert_true(got >= 0);
	room[got] = '\0';
	assert_string_equal(room, text);
}

static struct file_status status_of(const struct file_access *access, const char *path)
{
	struct file_status status;

	assert_int_equal(file_system_status(access, node(access, path), &status), 0);
	return status;
}

static unsigned count_names(const struct file_access *access, const char *path)
{
	uint64_t position = 0;
	const char *name;
	node_number number;
	unsigned type, count = 0;

	while (file_system_next(access, node(access, path), &position, &name, &number, &type) == 1)
		count++;
	return count;
}

static int rename_to(const struct file_access *access, const char *from_folder, const char *from,
		     const char *to_folder, const char *to)
{
	return file_system_rename(access, node(access, from_folder), from, node(access, to_folder),
				  to);
}

/* --- looking --- */

static void test_walk(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	char name[MACHINE_NAME_MAX + 3], path[MACHINE_PATH_MAX + 2];

	assert_int_equal(node(root, "/"), 2);
	assert_int_equal(node(root, "/.."), 2);
	assert_int_equal(node(root, "//etc/./../bin/ls"), node(root, "/usr/bin/dir"));
	assert_int_equal(failure(root, "/etc/nothing"), -ENOENT);
	assert_int_equal(failure(root, "/etc/passwd/x"), -ENOTDIR);
	assert_int_equal(failure(root, "/etc/passwd/"), -ENOTDIR);
	assert_int_equal(failure(root, ""), -ENOENT);
	assert_int_equal(failure(root, "/loop"), -ELOOP);
	assert_int_equal(failure(&world->user, "/root/x"), -EACCES);
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[MACHINE_NAME_MAX + 1] = '\0';
	assert_int_equal(failure(root, name), -ENOENT);
	name[MACHINE_NAME_MAX + 1] = 'n';
	name[MACHINE_NAME_MAX + 2] = '\0';
	assert_int_equal(failure(root, name), -ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	path[MACHINE_PATH_MAX - 1] = '\0';
	assert_int_equal(node(root, path), 2);
	path[MACHINE_PATH_MAX - 1] = '/';
	path[MACHINE_PATH_MAX] = '\0';
	assert_int_equal(failure(root, path), -ENAMETOOLONG);
}

static void test_links_at_most(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	node_number tmp = node(root, "/tmp");
	char name[16], target[16];

	put(root, "/tmp", "l0", "end");
	for (int i = 1; i <= MACHINE_SYMLINKS_MAX + 1; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(target, sizeof(target), "l%d", i - 1);
		assert_int_equal(file_system_symlink(root, tmp, name, target), 0);
	}
	snprintf(name, sizeof(name), "/tmp/l%d", MACHINE_SYMLINKS_MAX);
	assert_text(root, name, "end");
	snprintf(name, sizeof(name), "/tmp/l%d", MACHINE_SYMLINKS_MAX + 1);
	assert_int_equal(failure(root, name), -ELOOP);
}

static void test_status(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	struct file_status ls = status_of(root, "/usr/bin/ls"),
			   dir = status_of(root, "/usr/bin/dir");
	struct file_status etc = status_of(root, "/etc");
	uint8_t a[100], b[100];
	char path[64];

	assert_int_equal(ls.inode, dir.inode);
	assert_int_equal(ls.links, 2);
	assert_true(ls.size > 20000);
	assert_int_equal(etc.links, 3);
	assert_int_equal(file_system_read(root, node(root, "/bin/ls"), 1000, a, 100), 100);
	assert_int_equal(file_system_read(root, node(root, "/bin/ls"), 1001, b, 99), 99);
	assert_memory_equal(a + 1, b, 99);
	assert_int_equal(file_system_read(root, node(root, "/bin/ls"), 0, a, 4), 4);
	assert_memory_equal(a,
			    "\x7f"
			    "ELF",
			    4);
	assert_int_equal(file_system_path(root, node(root, "/bin/ls"), path, sizeof(path)), 0);
	assert_string_equal(path, "/usr/bin/ls");
	assert_int_equal(count_names(root, "/usr/bin"), 2);
	assert_int_equal(count_names(root, "/"), 8); /* with lost+found */
}

/* --- changing --- */

static void test_copy_on_write(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	struct address other = somebody(2);
	struct file_system *fs = file_system_open(world->all, &other, NOW);
	struct file_access there = {.fs = fs, .now = NOW};
	node_number passwd = node(root, "/etc/passwd");

	assert_int_equal(file_system_write(root, passwd, 11, SLICE("jo:x:1000\n")), 10);
	assert_text(root, "/etc/passwd", "root:x:0:0\njo:x:1000\n");
	assert_text(&there, "/etc/passwd", "root:x:0:0\n");
	assert_int_equal(node(root, "/etc/passwd"), passwd);
	assert_int_equal(status_of(root, "/etc/passwd").modified, NOW);
	assert_int_equal(file_system_remove(root, node(root, "/etc"), "shadow", false), 0);
	assert_int_equal(failure(root, "/etc/shadow"), -ENOENT);
	node(&there, "/etc/shadow");
	assert_int_equal(count_names(root, "/etc"), 2);
	put(root, "/etc", "shadow", "new");
	assert_text(root, "/etc/shadow", "new");
	assert_int_equal(count_names(root, "/etc"), 3);
	file_system_close(fs);
}

static void test_rights(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root, *user = &world->user;
	node_number made;

	assert_int_equal(
		file_system_make(user, node(user, "/etc"), "x", S_IFREG | 0644, 0, 0, &made),
		-EACCES);
	assert_int_equal(file_system_may(user, node(user, "/etc/shadow"), R_OK), -EACCES);
	assert_int_equal(file_system_may(root, node(root, "/etc/passwd"), X_OK), -EACCES);
	assert_int_equal(file_system_may(root, node(root, "/usr/bin/ls"), X_OK), 0);
	put(root, "/tmp", "hers", "r");
	put(user, "/tmp", "mine", "u");
	assert_int_equal(file_system_remove(user, node(user, "/tmp"), "hers", false), -EPERM);
	assert_int_equal(rename_to(user, "/tmp", "hers", "/tmp", "z"), -EPERM);
	assert_int_equal(rename_to(user, "/tmp", "mine", "/tmp", "hers"), -EPERM);
	assert_int_equal(file_system_change_mode(user, node(user, "/tmp/hers"), 0777), -EPERM);
	assert_int_equal(file_system_change_owner(user, node(user, "/tmp/mine"), 0, ~0u), -EPERM);
	assert_int_equal(file_system_change_mode(user, node(user, "/tmp/mine"), 04755), 0);
	assert_int_equal(file_system_write(user, node(user, "/tmp/mine"), 0, SLICE("v")), 1);
	assert_int_equal(status_of(root, "/tmp/mine").mode, S_IFREG | 0755);
	assert_int_equal(
		file_system_make(user, node(user, "/home/jo"), "null", S_IFCHR | 0666, 1, 3, &made),
		-EPERM);
	assert_int_equal(
		file_system_make(root, node(root, "/tmp"), "null", S_IFCHR | 0666, 1, 3, &made), 0);
	assert_int_equal(status_of(root, "/tmp/null").device_minor, 3);
	assert_int_equal(file_system_change_times(user, node(user, "/tmp/hers"), 5, 5), -EPERM);
	assert_int_equal(file_system_change_times(user, node(user, "/tmp/mine"), 5, 6), 0);
	assert_int_equal(status_of(root, "/tmp/mine").modified, 6);
	assert_int_equal(
		file_system_change_attributes(user, node(user, "/tmp/mine"), FILE_IMMUTABLE),
		-EPERM);
	assert_int_equal(
		file_system_change_attributes(root, node(root, "/tmp/mine"), FILE_IMMUTABLE), 0);
	assert_int_equal(file_system_remove(root, node(root, "/tmp"), "mine", false), -EPERM);
	assert_int_equal(file_system_may(root, node(root, "/tmp/mine"), W_OK), -EPERM);
}

static void test_links_and_unlinked(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	node_number number;
	char path[64], room[8];

	put(root, "/tmp", "a", "one");
	number = node(root, "/tmp/a");
	assert_int_equal(file_system_link(root, number, node(root, "/root"), "b"), 0);
	assert_int_equal(status_of(root, "/root/b").links, 2);
	assert_int_equal(file_system_remove(root, node(root, "/tmp"), "a", false), 0);
	assert_int_equal(file_system_path(root, number, path, sizeof(path)), 0);
	assert_string_equal(path, "/root/b");
	assert_int_equal(file_system_hold(root, number), 0);
	assert_int_equal(file_system_remove(root, node(root, "/root"), "b", false), 0);
	assert_int_equal(file_system_read(root, number, 0, room, 8), 3);
	file_system_release(root->fs, number);
	assert_int_equal(file_system_read(root, number, 0, room, 8), -ENOENT);
	assert_int_equal(file_system_link(root, node(root, "/etc"), node(root, "/tmp"), "x"),
			 -EPERM);
	assert_int_equal(file_system_remove(root, node(root, "/usr/bin"), "ls", false), 0);
	assert_int_equal(status_of(root, "/usr/bin/dir").links, 1);
	assert_int_equal(file_system_path(root, node(root, "/usr/bin/dir"), path, sizeof(path)), 0);
	assert_string_equal(path, "/usr/bin/dir");
}

static void test_rename(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	node_number conf = node(root, "/etc/conf.d");
	char path[64];

	put(root, "/tmp", "f", "f");
	put(root, "/tmp", "g", "g");
	make(root, "/tmp", "empty", S_IFDIR | 0755);
	make(root, "/tmp", "full", S_IFDIR | 0755);
	put(root, "/tmp/full", "x", "x");
	assert_int_equal(rename_to(root, "/tmp", "none", "/tmp", "x"), -ENOENT);
	assert_int_equal(rename_to(root, "/tmp", "f", "/tmp", "empty"), -EISDIR);
	assert_int_equal(rename_to(root, "/tmp", "full", "/tmp", "f"), -ENOTDIR);
	assert_int_equal(rename_to(root, "/tmp", "empty", "/tmp", "full"), -ENOTEMPTY);
	assert_int_equal(rename_to(root, "/tmp", "full", "/tmp/full", "in"), -EINVAL);
	assert_int_equal(rename_to(root, "/tmp", "f", "/tmp", "g"), 0);
	assert_text(root, "/tmp/g", "f");
	assert_int_equal(failure(root, "/tmp/f"), -ENOENT);
	assert_int_equal(rename_to(root, "/tmp", "full", "/tmp", "empty"), 0);
	assert_text(root, "/tmp/empty/x", "x");
	assert_int_equal(status_of(root, "/tmp").links, 3);
	/* A folder of the image, with what is in it. */
	assert_int_equal(rename_to(root, "/etc", "conf.d", "/tmp", "moved"), 0);
	assert_int_equal(node(root, "/tmp/moved"), conf);
	assert_text(root, "/tmp/moved/a", "a");
	assert_int_equal(node(root, "/tmp/moved/.."), node(root, "/tmp"));
	assert_int_equal(file_system_path(root, node(root, "/tmp/moved/b"), path, sizeof(path)), 0);
	assert_string_equal(path, "/tmp/moved/b");
	assert_int_equal(status_of(root, "/etc").links, 2);
	assert_int_equal(file_system_remove(root, node(root, "/tmp"), "moved", true), -ENOTEMPTY);
	assert_int_equal(file_system_remove(root, node(root, "/tmp"), "moved", false), -EISDIR);
	assert_int_equal(file_system_remove(root, node(root, "/tmp"), "g", true), -ENOTDIR);
	assert_int_equal(file_system_remove(root, node(root, "/tmp/moved"), "a", false), 0);
	assert_int_equal(file_system_remove(root, node(root, "/tmp/moved"), "b", false), 0);
	assert_int_equal(file_system_remove(root, node(root, "/tmp"), "moved", true), 0);
}

static void test_programs(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	node_number ls = node(root, "/bin/ls"), copy;

	assert_string_equal(file_system_program(root, ls), "ls");
	copy = make(root, "/tmp", "x", S_IFREG | 0755);
	assert_null(file_system_program(root, copy));
	assert_int_equal(file_system_clone(root, ls, copy), 0);
	assert_string_equal(file_system_program(root, copy), "ls");
	assert_int_equal(status_of(root, "/tmp/x").size, status_of(root, "/bin/ls").size);
	assert_int_equal(file_system_truncate(root, copy, 0), 0);
	assert_null(file_system_program(root, copy));
}

/* --- limits --- */

static void test_file_size(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	node_number big = make(root, "/tmp", "big", S_IFREG | 0644);
	node_number zeros = make(root, "/tmp", "zeros", S_IFREG | 0644);
	static const uint8_t nothing[65536];
	struct file_system_status before, after;
	uint8_t byte = 1;

	assert_int_equal(file_system_write(root, big, MACHINE_FILE_MAX - 2, slice_of("x", 1)), 1);
	assert_int_equal(file_system_write(root, big, MACHINE_FILE_MAX - 1, slice_of("x", 1)), 1);
	assert_int_equal(file_system_write(root, big, MACHINE_FILE_MAX, slice_of("x", 1)), -ENOSPC);
	assert_int_equal(file_system_read(root, big, MACHINE_FILE_MAX / 2, &byte, 1), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(file_system_write(root, big, UINT64_MAX - 3, slice_of("xxxxxx", 6)),
			 -EFBIG);
	assert_int_equal(file_system_statfs(root, big, &before), 0);
	for (uint64_t at = 0; at < 4 * MACHINE_FILE_MAX; at += sizeof(nothing))
		assert_int_equal(
			file_system_write(root, zeros, at, slice_of(nothing, sizeof(nothing))),
			sizeof(nothing));
	assert_int_equal(status_of(root, "/tmp/zeros").size, 4 * MACHINE_FILE_MAX);
	assert_true(root->fs->layer.bytes <= MACHINE_FILE_MAX);
	assert_int_equal(file_system_statfs(root, big, &after), 0);
	assert_int_equal(file_system_truncate(root, zeros, MACHINE_ZEROS_MAX), 0);
	assert_true(status_of(root, "/tmp/zeros").blocks > 0);
	assert_int_equal(file_system_truncate(root, make(root, "/tmp", "sparse", S_IFREG | 0644),
					      4 * MACHINE_ZEROS_MAX),
			 0);
	assert_int_equal(status_of(root, "/tmp/sparse").blocks, 0);
	assert_int_equal(
		file_system_write(root, zeros, MACHINE_ZEROS_MAX - 4096, slice_of(nothing, 4096)),
		4096);
	assert_int_equal(
		file_system_write(root, zeros, MACHINE_ZEROS_MAX - 4095, slice_of(nothing, 4096)),
		-ENOSPC);
	assert_int_equal(file_system_write(root, zeros, MACHINE_ZEROS_MAX, slice_of(nothing, 4096)),
			 -ENOSPC);
}

static void test_source_size(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	uint64_t full = MACHINE_SOURCE_MAX / MACHINE_FILE_MAX;
	char name[16];
	node_number made;

	for (uint64_t i = 0; i < full; i++) {
		snprintf(name, sizeof(name), "f%d", (int)i);
		made = make(root, "/tmp", name, S_IFREG | 0644);
		assert_int_equal(
			file_system_write(root, made, MACHINE_FILE_MAX - 1, slice_of("x", 1)), 1);
	}
	assert_int_equal(root->fs->layer.bytes, MACHINE_SOURCE_MAX);
	made = make(root, "/tmp", "more", S_IFREG | 0644);
	assert_int_equal(file_system_write(root, made, 0, slice_of("x", 1)), -ENOSPC);
	assert_int_equal(file_system_remove(root, node(root, "/tmp"), "f0", false), 0);
	assert_int_equal(file_system_write(root, made, 0, slice_of("x", 1)), 1);
}

static void test_file_count(void **state)
{
	struct world *world = *state;
	const struct file_access *root = &world->root;
	node_number tmp = node(root, "/tmp"), made;
	char name[16];

	for (int i = 0; i < MACHINE_SOURCE_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(file_system_make(root, tmp, name, S_IFREG | 0644, 0, 0, &made), 0);
	}
	assert_int_equal(file_system_make(root, tmp, "x", S_IFREG | 0644, 0, 0, &made), -ENOSPC);
	assert_int_equal(count_names(root, "/tmp"), MACHINE_SOURCE_FILES_MAX);
	assert_int_equal(file_system_remove(root, tmp, "f9", false), 0);
	assert_int_equal(file_system_make(root, tmp, "x", S_IFREG | 0644, 0, 0, &made), 0);
}

/* --- journals --- */

static void deeds(const struct file_access *root)
{
	make(root, "/root", ".ssh", S_IFDIR | 0700);
	put(root, "/root/.ssh", "authorized_keys", "ssh-rsa AAAA");
	put(root, "/tmp", "a.sh", "#!/bin/sh\n");
	assert_int_equal(file_system_change_mode(root, node(root, "/tmp/a.sh"), 0755), 0);
	assert_int_equal(rename_to(root, "/tmp", "a.sh", "/root", "b.sh"), 0);
	assert_int_equal(
		file_system_link(root, node(root, "/root/b.sh"), node(root, "/tmp"), "c.sh"), 0);
	assert_int_equal(file_system_symlink(root, node(root, "/tmp"), "s", "/root/b.sh"), 0);
	make(root, "/tmp", "copy", S_IFREG | 0755);
	assert_int_equal(file_system_clone(root, node(root, "/bin/ls"), node(root, "/tmp/copy")),
			 0);
	assert_int_equal(file_system_remove(root, node(root, "/etc"), "shadow", false), 0);
	assert_int_equal(file_system_write(root, node(root, "/etc/passwd"), 11, SLICE("jo\n")), 3);
	assert_int_equal(rename_to(root, "/etc", "conf.d", "/tmp", "moved"), 0);
	assert_int_equal(file_system_truncate(root, node(root, "/tmp/moved/a"), 0), 0);
	assert_int_equal(file_system_change_owner(root, node(root, "/tmp/moved/b"), 1000, 1000), 0);
	assert_int_equal(
		file_system_change_times(root, node(root, "/tmp/moved/b"), 5 * SECOND, 6 * SECOND),
		0);
}

static void assert_deeds(const struct file_access *root)
{
	char target[16];
	int error;

	assert_text(root, "/root/.ssh/authorized_keys", "ssh-rsa AAAA");
	assert_int_equal(status_of(root, "/root/.ssh").mode, S_IFDIR | 0700);
	assert_int_equal(status_of(root, "/root").links, 3);
	assert_int_equal(failure(root, "/tmp/a.sh"), -ENOENT);
	assert_int_equal(status_of(root, "/root/b.sh").mode, S_IFREG | 0755);
	assert_int_equal(status_of(root, "/tmp/c.sh").links, 2);
	assert_int_equal(node(root, "/tmp/c.sh"), node(root, "/root/b.sh"));
	assert_text(root, "/tmp/s", "#!/bin/sh\n");
	assert_int_equal(file_system_readlink(root,
					      file_system_walk(root, file_system_root(root->fs),
							       "/tmp/s", false, &error),
					      target, sizeof(target)),
			 10);
	assert_string_equal(file_system_program(root, node(root, "/tmp/copy")), "ls");
	assert_int_equal(failure(root, "/etc/shadow"), -ENOENT);
	assert_text(root, "/etc/passwd", "root:x:0:0\njo\n");
	assert_int_equal(failure(root, "/etc/conf.d"), -ENOENT);
	assert_int_equal(status_of(root, "/etc").links, 2);
	assert_text(root, "/tmp/moved/a", "");
	assert_text(root, "/tmp/moved/b", "b");
	assert_int_equal(status_of(root, "/tmp/moved/b").uid, 1000);
	assert_int_equal(status_of(root, "/tmp/moved/b").modified, 6 * SECOND);
}

static void come_back(struct world *world)
{
	struct address source = somebody(1);

	file_system_close(world->root.fs);
	look_as(world, file_system_open(world->all, &source, NOW));
}

static void test_coming_back(void **state)
{
	struct world *world = *state;

	deeds(&world->root);
	assert_deeds(&world->root);
	come_back(world);
	assert_deeds(&world->root);
	come_back(world);
	assert_deeds(&world->root);
}

static void test_two_workers(void **state)
{
	struct world *world = *state;
	struct file_systems *second = file_systems_new(world->image, NULL, world->descriptor);
	struct address source = somebody(1);
	struct file_access there = {.fs = file_system_open(second, &source, NOW), .now = NOW};

	deeds(&world->root);
	/* Its view was open all the while; a new log-in reads on. */
	assert_ptr_equal(file_system_open(second, &source, NOW), there.fs);
	assert_deeds(&there);
	put(&there, "/tmp", "theirs", "2");
	put(&world->root, "/tmp", "ours", "1");
	file_system_close(there.fs);
	file_system_close(file_system_open(world->all, &source, NOW));
	assert_text(&world->root, "/tmp/theirs", "2");
	file_system_close(file_system_open(second, &source, NOW));
	assert_text(&there, "/tmp/ours", "1");
	assert_deeds(&there);
	file_system_close(there.fs);
	file_systems_free(second);
}

static int journal_file(const struct world *world)
{
	int file = openat(world->descriptor, world->root.fs->journal.name, O_RDWR | O_CLOEXEC);

	assert_true(file >= 0);
	return file;
}

static void test_torn_record(void **state)
{
	struct world *world = *state;
	int file;
	struct stat status;

	put(&world->root, "/tmp", "first", "1");
	put(&world->root, "/tmp", "second", "2");
	file = journal_file(world);
	assert_int_equal(fstat(file, &status), 0);
	assert_int_equal(ftruncate(file, status.st_size - 1), 0);
	come_back(world);
	assert_text(&world->root, "/tmp/first", "1");
	assert_text(&world->root, "/tmp/second", ""); /* made, but its contents were torn */
	put(&world->root, "/tmp", "third", "3");
	come_back(world);
	assert_text(&world->root, "/tmp/first", "1");
	assert_text(&world->root, "/tmp/third", "3");
	close(file);
}

static void test_corrupt_journal(void **state)
{
	struct world *world = *state;
	int file;
	struct stat status;
	uint8_t byte;

	deeds(&world->root);
	put(&world->root, "/tmp", "last", "z");
	file = journal_file(world);
	assert_int_equal(fstat(file, &status), 0);
	for (off_t at = 0; at < status.st_size; at += 7) {
		assert_int_equal(pread(file, &byte, 1, at), 1);
		byte ^= 0x40;
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
		come_back(world);
		/* One record at most is lost; those before and behind it are not. */
		if (at < status.st_size - 250)
			assert_text(&world->root, "/tmp/last", "z");
		byte ^= 0x40;
		assert_int_equal(pwrite(file, &byte, 1, at), 1);
	}
	come_back(world);
	assert_deeds(&world->root);
	close(file);
}

static void test_compacting(void **state)
{
	struct world *world = *state;
	struct stat status;
	char block[4096];
	node_number number;
	int file;

	deeds(&world->root);
	memset(block, 'b', sizeof(block));
	put(&world->root, "/tmp", "log", "x");
	number = node(&world->root, "/tmp/log");
	for (int i = 0; i < 200; i++) {
		assert_int_equal(
			file_system_write(&world->root, number, 0, slice_of(block, sizeof(block))),
			sizeof(block));
		journal_flush(world->root.fs);
	}
	come_back(world);
	file = journal_file(world);
	assert_int_equal(fstat(file, &status), 0);
	assert_true(status.st_size < 32768);
	close(file);
	assert_deeds(&world->root);
	assert_int_equal(status_of(&world->root, "/tmp/log").size, sizeof(block));
	come_back(world);
	assert_deeds(&world->root);
}

static void test_networks_of_six(void **state)
{
	struct world *world = *state;
	struct address a, b, c;
	struct file_system *fs;
	struct file_access access;

	assert_int_equal(address_parse(SLICE("2001:db8::1"), &a), 0);
	assert_int_equal(address_parse(SLICE("2001:db8::ffff:2"), &b), 0);
	assert_int_equal(address_parse(SLICE("2001:db8:0:1::1"), &c), 0);
	fs = file_system_open(world->all, &a, NOW);
	access = (struct file_access){.fs = fs, .now = NOW};
	put(&access, "/tmp", "x", "x");
	assert_ptr_equal(file_system_open(world->all, &b, NOW), fs);
	assert_ptr_not_equal(file_system_open(world->all, &c, NOW), fs);
}

static void test_bad_images(void **state)
{
	struct world *world = *state;
	char *why = NULL;

	for (size_t at = 0; at < world->image->length; at += 3) {
		uint8_t *copy = malloc(world->image->length);
		struct image *image;

		memcpy(copy, world->image->at, world->image->length);
		copy[at] ^= 0x11;
		image = image_of(copy, world->image->length, false, &why);
		if (!image)
			assert_non_null(why);
		free(why);
		why = NULL;
		image_free(image);
	}
}

static void test_router(void **state)
{
	const char *source = getenv("SUNDEW_SOURCE");
	char share[512], *why = NULL;
	struct address address = somebody(3);
	struct image *image;
	struct file_systems *all;
	struct file_access access = {.now = NOW};
	uint8_t start[20];

	snprintf(share, sizeof(share), "%s/share", source ? source : ".");
	image = image_for_host("router", "mips", share, NULL, &why);
	if (why)
		fail_msg("%s", why);
	all = file_systems_new(image, NULL, -1);
	access.fs = file_system_open(all, &address, NOW);
	assert_int_equal(node(&access, "/bin/ls"), node(&access, "/usr/bin/wget"));
	assert_string_equal(file_system_program(&access, node(&access, "/bin/ls")), "busybox");
	assert_int_equal(
		file_system_read(&access, node(&access, "/bin/busybox"), 0, start, sizeof(start)),
		20);
	assert_memory_equal(start,
			    "\x7f"
			    "ELF\1\2\1",
			    7);
	assert_int_equal(start[19], 8); /* MIPS */
	assert_int_equal(node(&access, "/var/log"), node(&access, "/tmp/var/log"));
	file_system_close(access.fs);
	file_systems_free(all);
	image_free(image);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_walk),          TEST(test_links_at_most),   TEST(test_status),
		TEST(test_copy_on_write), TEST(test_rights),          TEST(test_links_and_unlinked),
		TEST(test_rename),        TEST(test_programs),        TEST(test_file_size),
		TEST(test_source_size),   TEST(test_file_count),      TEST(test_coming_back),
		TEST(test_two_workers),   TEST(test_torn_record),     TEST(test_corrupt_journal),
		TEST(test_compacting),    TEST(test_networks_of_six), TEST(test_bad_images),
		TEST(test_router),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
