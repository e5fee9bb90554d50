/* The roles. */
#include "process/roles.h"

#define MEBIBYTE ((uint64_t)1 << 20)

/* A spool only grows under its decoy; in the inbox a finished file is renamed into place, and a
 * rename counts as a removal. */
#define APPEND     (SANDBOX_READ | SANDBOX_WRITE | SANDBOX_CREATE)
#define EVERYTHING (APPEND | SANDBOX_REMOVE)

const struct sandbox sandbox_decoy = {
	.calls = SANDBOX_STREAMS | SANDBOX_DATAGRAMS | SANDBOX_FILES,
	.folders = {{"spool", APPEND}, {"inbox", EVERYTHING}, {"machines", EVERYTHING}},
	/* Address space, not memory: each running program of the fake machine has a stack of 256
	 * KiB in it and touches a page or two. Sessions are capped far below. */
	.memory_bytes = 8192 * MEBIBYTE,
	.files = 65536, /* one a session, and tarpits keep many */
};

const struct sandbox sandbox_capture = {
	.calls = SANDBOX_PACKETS | SANDBOX_FILES,
	.folders = {{"spool", APPEND}, {"packets", EVERYTHING}},
	.memory_bytes = 4096 * MEBIBYTE,
	.files = 256,
};

const struct sandbox sandbox_store = {
	.calls = SANDBOX_FILES | SANDBOX_DATABASE,
	.home = "store",
	.folders = {{"store", EVERYTHING}, {"spools", EVERYTHING}, {"evidence", EVERYTHING}},
	.memory_bytes = 4096 * MEBIBYTE, /* the database and GeoIP files are mapped, not loaded */
	.files = 4096,
};

const struct sandbox sandbox_web = {
	.calls = SANDBOX_STREAMS | SANDBOX_FILES | SANDBOX_DATABASE,
	.home = "data",
	.folders = {{"store", SANDBOX_READ},
		    {"evidence", SANDBOX_READ},
		    {"dashboard", SANDBOX_READ},
		    {"settings", EVERYTHING}},
	.memory_bytes = 4096 * MEBIBYTE,
	.files = 4096,
};
