/* What is counted, and by what: the one table of dimensions.
 *
 * Four things are counted apart and never mixed:
 *   events       every event that was stored
 *   connections  session.open and port.probe, each as often as its sundew.count says (once if
 * absent); a connection that was imported without ever being closed is one too sessions
 * session.open events that carry a session id: conversations a decoy really held credentials
 * auth.attempt: a user name, a password or both that were tried and, as totals only, commands,
 * requests, payloads, alerts and findings.
 *
 * A dimension is tallied for one or more of the first four; its own measure is the one that an
 * answer means when nobody asks for another.
 */
#ifndef STORE_DIMENSION_H
#define STORE_DIMENSION_H

#include "event/event.h"

/* Numbers are stored: never reuse one, add at the end. */
enum measure {
	MEASURE_EVENTS,
	MEASURE_CONNECTIONS,
	MEASURE_SESSIONS,
	MEASURE_CREDENTIALS,
	MEASURE_COMMANDS,
	MEASURE_REQUESTS,
	MEASURE_PAYLOADS,
	MEASURE_ALERTS,
	MEASURE_FINDINGS,
	MEASURE_COUNT,
	MEASURE_OWN = 15 /* in a question: the dimension's own measure */
};

/* How a key is kept: as a number of the dictionary, of the source table, or as itself. */
enum key_kind {
	KEY_WORD,
	KEY_SOURCE,
	KEY_NUMBER,
	KEY_CREDENTIAL, /* number in the credential table; its text is "user\0password" */
	KEY_LOCATION,   /* whole degrees, packed; its text is "lat,lon" */
};

struct dimension {
	int number; /* stored: never reuse one */
	const char *name;
	const char *title; /* for a table's heading */
	const char *also;  /* other names it answers to, separated by spaces */
	enum event_field field;
	enum key_kind kind;
	enum measure own;
	unsigned measures; /* bit 1 << measure: what else is tallied (own included) */
};

/* Ends with a NULL name. */
extern const struct dimension dimensions[];

/* By name, another name or the field's path; NULL when there is none. */
const struct dimension *dimension_named(struct slice name);
/* "events", "connections" ...; NULL for none. */
const char *dimension_measure_name(enum measure measure);
/* MEASURE_COUNT when there is none of that name. */
enum measure dimension_measure_named(struct slice name);

/* Dimensions that the store's own code asks for by number. */
#define DIMENSION_TOTAL      1 /* key: enum measure */
#define DIMENSION_SOURCE     2
#define DIMENSION_COUNTRY    3
#define DIMENSION_ASN        4
#define DIMENSION_LOCATION   6
#define DIMENSION_CREDENTIAL 12
#define DIMENSION_PATH       15
#define DIMENSION_RULE       19
#define DIMENSION_HOUR       22 /* key: hour of the day, UTC */

#endif
