/* Persona: the host that the decoys play. Text keyed by dotted names ("ftp.banner"), from
 * share/personas/NAME.yaml, varied per installation so that no constant betrays us.
 *
 * In the file, mappings within each other make dotted names, and a list under a key is a choice:
 * the installation's secret picks one, and always the same (a list of mappings chooses values that
 * belong together). Inside a value "${other.key}" stands for that key's value, "${hex.16}" for 16
 * hexadecimal digits and "${number.1-99}" for a number, both derived from the secret and the key.
 * Everything derived from the secret is stable for an installation and unknown to anybody else.
 */
#ifndef DECOY_PERSONA_H
#define DECOY_PERSONA_H

#include "base/bytes.h"

#define PERSONA_SECRET_LENGTH 32

struct persona;

/* Reads a persona file. `installed` is when this installation was made (microseconds). NULL when
 * the file cannot be used; *why then says so (freed by the caller). */
struct persona *persona_read(const char *path, const uint8_t secret[PERSONA_SECRET_LENGTH],
			     int64_t installed, char **why);
/* A persona without a file, where every key falls back; for tests and fuzzing. */
struct persona *persona_plain(const uint8_t secret[PERSONA_SECRET_LENGTH], int64_t installed);
void persona_free(struct persona *persona);

const char *persona_name(const struct persona *persona);
/* The key's text, else `fallback`. Constant time of a hash look-up; never NULL if fallback is not.
 */
const char *persona_text(const struct persona *persona, const char *key, const char *fallback);
int64_t persona_number(const struct persona *persona, const char *key, int64_t fallback);
/* Host name of the fake machine ("host.name"), always something plausible. */
const char *persona_host_name(const struct persona *persona);
/* Bytes derived from the secret and the label: the same for one installation, always. */
void persona_derive(const struct persona *persona, const char *label, void *out, size_t length);
/* A number within [low, high] derived in the same way. */
int64_t persona_derive_number(const struct persona *persona, const char *label, int64_t low,
			      int64_t high);
/* When the fake machine was started: weeks before the installation, and after each "reboot" (every
 * few months, derived) again; always in the past of `now`. Microseconds. */
int64_t persona_boot_time(const struct persona *persona, int64_t now);
/* When this installation was made, as persona_read was told. */
int64_t persona_installed(const struct persona *persona);

#endif
