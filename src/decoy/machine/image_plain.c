/* The image that needs no file: the folders of a Debian host, the programs of the command table,
 * and the few texts that nobody else writes. */
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/command.h"
#include "decoy/machine/image.h"

static const struct {
	const char *path;
	unsigned mode, gid;
} folders[] = {
	{"/boot", 0755, 0},
	{"/dev", 0755, 0},
	{"/etc", 0755, 0},
	{"/etc/alternatives", 0755, 0},
	{"/etc/apt", 0755, 0},
	{"/etc/cron.d", 0755, 0},
	{"/etc/cron.daily", 0755, 0},
	{"/etc/cron.hourly", 0755, 0},
	{"/etc/cron.monthly", 0755, 0},
	{"/etc/cron.weekly", 0755, 0},
	{"/etc/default", 0755, 0},
	{"/etc/init.d", 0755, 0},
	{"/etc/network", 0755, 0},
	{"/etc/profile.d", 0755, 0},
	{"/etc/skel", 0755, 0},
	{"/etc/ssh", 0755, 0},
	{"/etc/sudoers.d", 0750, 0},
	{"/etc/systemd/system", 0755, 0},
	{"/home", 0755, 0},
	{"/media", 0755, 0},
	{"/mnt", 0755, 0},
	{"/opt", 0755, 0},
	{"/proc", 0555, 0},
	{"/root", 0700, 0},
	{"/run", 0755, 0},
	{"/run/lock", 01777, 0},
	{"/run/sshd", 0755, 0},
	{"/srv", 0755, 0},
	{"/sys", 0555, 0},
	{"/tmp", 01777, 0},
	{"/usr/bin", 0755, 0},
	{"/usr/games", 0755, 0},
	{"/usr/include", 0755, 0},
	{"/usr/lib/x86_64-linux-gnu", 0755, 0},
	{"/usr/lib64", 0755, 0},
	{"/usr/local/bin", 0755, 0},
	{"/usr/local/etc", 0755, 0},
	{"/usr/local/games", 0755, 0},
	{"/usr/local/include", 0755, 0},
	{"/usr/local/lib", 0755, 0},
	{"/usr/local/sbin", 0755, 0},
	{"/usr/local/share", 0755, 0},
	{"/usr/local/src", 0755, 0},
	{"/usr/sbin", 0755, 0},
	{"/usr/share", 0755, 0},
	{"/usr/src", 0755, 0},
	{"/var/backups", 0755, 0},
	{"/var/cache", 0755, 0},
	{"/var/lib/dpkg", 0755, 0},
	{"/var/local", 02775, 50},
	{"/var/log", 0755, 0},
	{"/var/mail", 02775, 8},
	{"/var/opt", 0755, 0},
	{"/var/spool/cron/crontabs", 01730, 101},
	{"/var/tmp", 01777, 0},
	{"/var/www/html", 0755, 0},
};

static const struct {
	const char *path, *target;
} links[] = {
	{"/bin", "usr/bin"},        {"/lib", "usr/lib"},
	{"/lib32", "usr/lib32"},    {"/lib64", "usr/lib64"},
	{"/libx32", "usr/libx32"},  {"/sbin", "usr/sbin"},
	{"/usr/bin/sh", "dash"},    {"/etc/os-release", "../usr/lib/os-release"},
	{"/var/lock", "/run/lock"}, {"/var/run", "/run"},
};

static const struct {
	const char *path, *text;
} texts[] = {
	{"/etc/debian_version", "12.15\n"},
	{"/etc/issue", "Debian GNU/Linux 12 \\n \\l\n\n"},
	{"/etc/issue.net", "Debian GNU/Linux 12\n"},
	{"/etc/shells", "# /etc/shells: valid login shells\n/bin/sh\n/usr/bin/sh\n/bin/bash\n"
			"/usr/bin/bash\n/bin/rbash\n/usr/bin/rbash\n/bin/dash\n/usr/bin/dash\n"},
	{"/usr/lib/os-release",
	 "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n"
	 "VERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n"
	 "HOME_URL=\"https://www.debian.org/\"\nSUPPORT_URL=\"https://www.debian.org/support\"\n"
	 "BUG_REPORT_URL=\"https://bugs.debian.org/\"\n"},
};

static int add_folders(struct image_builder *builder)
{
	int failed = 0;

	for (size_t i = 0; i < ARRAY_COUNT(folders); i++)
		failed |= image_builder_add(builder,
					    &(struct image_item){.path = folders[i].path,
								 .mode = S_IFDIR | folders[i].mode,
								 .gid = folders[i].gid});
	for (size_t i = 0; i < ARRAY_COUNT(links); i++)
		failed |=
			image_builder_add(builder, &(struct image_item){.path = links[i].path,
									.mode = S_IFLNK | 0777,
									.target = links[i].target});
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		failed |= image_builder_add(
			builder, &(struct image_item){.path = texts[i].path,
						      .mode = S_IFREG | 0644,
						      .contents = slice_text(texts[i].text)});
	return failed;
}

static int add_program(struct image_builder *builder, const char *folder, const char *name)
{
	uint8_t start[256];
	char path[256];
	struct image_item item = {
		.path = path, .mode = S_IFREG | 0755, .seeded = true, .program = true};
	/* Programs that lend root's rights to others. */
	static const char *const lenders[] = {"su",     "sudo", "passwd", "mount",  "umount",
					      "newgrp", "chsh", "chfn",   "gpasswd"};

	for (size_t i = 0; i < ARRAY_COUNT(lenders); i++)
		if (!strcmp(name, lenders[i]))
			item.mode = S_IFREG | 04755;
	/* /bin and /sbin are links into /usr. */
	if (!strncmp(folder, "/bin", 4) || !strncmp(folder, "/sbin", 5))
		snprintf(path, sizeof(path), "/usr%s/%s", folder, name);
	else
		snprintf(path, sizeof(path), "%s/%s", folder, name);
	item.contents =
		slice_of(start, image_elf_start(IMAGE_X86_64, strlen(path), start, sizeof(start)));
	return image_builder_add(builder, &item);
}

static int add_programs(struct image_builder *builder)
{
	/* What runs and what scripts look for, though nobody here can start it. */
	static const struct {
		const char *folder, *name;
	} others[] = {
		{"/usr/bin", "bash"},
		{"/usr/bin", "dash"},
		{"/usr/bin", "dbus-daemon"},
		{"/usr/lib/openssh", "sftp-server"},
		{"/usr/lib/systemd", "systemd"},
		{"/usr/lib/systemd", "systemd-journald"},
		{"/usr/lib/systemd", "systemd-logind"},
		{"/usr/lib/systemd", "systemd-timesyncd"},
		{"/usr/lib/systemd", "systemd-udevd"},
		{"/usr/lib/x86_64-linux-gnu", "libc.so.6"},
		{"/usr/lib/x86_64-linux-gnu", "ld-linux-x86-64.so.2"},
		{"/usr/sbin", "agetty"},
		{"/usr/sbin", "cron"},
		{"/usr/sbin", "rsyslogd"},
		{"/usr/sbin", "sshd"},
	};
	int failed = 0;

	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		if (!command_find(others[i].name, COMMAND_DEBIAN) ||
		    !strcmp(others[i].name, "bash") || !strcmp(others[i].name, "dash"))
			failed |= add_program(builder, others[i].folder, others[i].name);

	for (size_t i = 0; command_families[i]; i++) {
		const struct command *c = command_families[i]->commands;

		for (; c->name; c++) {
			const char *folder = c->path ? c->path : "/usr/bin";
			char alias[256];

			if (!(c->where & COMMAND_DEBIAN))
				continue;
			failed |= add_program(builder, folder, c->name);
			for (size_t k = 0; c->aliases && c->aliases[k]; k++) {
				snprintf(alias, sizeof(alias), "%s%s/%s",
					 strncmp(folder, "/usr", 4) ? "/usr" : "", folder,
					 c->aliases[k]);
				failed |= image_builder_add(
					builder, &(struct image_item){.path = alias,
								      .mode = S_IFLNK | 0777,
								      .target = c->name});
			}
		}
	}
	return failed;
}

struct image *image_plain(void)
{
	static const uint64_t key[2] = {0x6d616368696e65, 0x706c61696e};
	struct image_builder *builder = image_builder_new(key);

	if (!builder)
		return NULL;
	if (add_folders(builder) | add_programs(builder)) {
		/* Only memory or a table of commands that names nonsense can bring us here; what
		 * was added is still a sound tree. */
	}
	return image_builder_finish(builder);
}
