/* Modules and PCI devices of the fake host, by what it runs on. */
#ifndef DECOY_MACHINE_HARDWARE_H
#define DECOY_MACHINE_HARDWARE_H

#include "decoy/machine/host.h"

struct host_module {
	const char *name;
	unsigned size, users;
	const char *used_by; /* "a,b" or "" */
};
/* The modules of that host in the order of lsmod. */
size_t host_modules(const struct host *host, const struct host_module **modules);

/* Where a module's file lies below /lib/modules/RELEASE/: "kernel/fs/ext4/ext4.ko". */
void host_module_path(const char *name, char *path, size_t size);
/* The modules that it needs, "mbcache,jbd2,crc16" or "". */
void host_module_needs(const struct host *host, const char *name, char *needs, size_t size);

struct host_pci {
	const char *slot;  /* 00:1f.2 */
	const char *class; /* Ethernet controller */
	const char *name;
	unsigned class_id, vendor, device, revision;
	const char *driver; /* or "" */
};
size_t host_pci(const struct host *host, const struct host_pci **devices);

#endif
