/* The Tabular Data Stream as a server sends it (MS-TDS): tokens, rows and packets, in the widths
 * that each version asks for. Knows nothing of SQL or sessions.
 *
 * All text handed in is UTF-8; it leaves as UTF-16LE from TDS 7.0 on and as Latin-1 before.
 */
#ifndef MSSQL_TDS_H
#define MSSQL_TDS_H

#include "base/bytes.h"

#define TDS_HEADER         8
#define TDS_PACKET_MINIMUM 512
#define TDS_PACKET_MAXIMUM 32767
#define TDS_PACKET_USUAL   4096

enum tds_packet {
	TDS_BATCH = 0x01,
	TDS_OLD_LOGIN = 0x02,
	TDS_RPC = 0x03,
	TDS_RESPONSE = 0x04,
	TDS_ATTENTION = 0x06,
	TDS_BULK = 0x07,
	TDS_TRANSACTION = 0x0e,
	TDS_LOGIN7 = 0x10,
	TDS_SSPI = 0x11,
	TDS_PRELOGIN = 0x12,
};

enum tds_version {
	TDS_VERSION_42,
	TDS_VERSION_70,
	TDS_VERSION_71,
	TDS_VERSION_72,
	TDS_VERSION_73,
	TDS_VERSION_74,
};

enum tds_token {
	TDS_TOKEN_ERROR = 0xaa,
	TDS_TOKEN_INFO = 0xab,
	TDS_TOKEN_DONE = 0xfd,
	TDS_TOKEN_DONEPROC = 0xfe,
	TDS_TOKEN_DONEINPROC = 0xff,
};

enum tds_environment { TDS_ENV_DATABASE = 1, TDS_ENV_LANGUAGE = 2, TDS_ENV_PACKET_SIZE = 4 };

enum {
	TDS_DONE_MORE = 0x01,
	TDS_DONE_ERROR = 0x02,
	TDS_DONE_COUNT = 0x10,
	TDS_DONE_ATTENTION = 0x20,
};

/* What DONE says was done. */
enum tds_command {
	TDS_COMMAND_NONE = 0,
	TDS_COMMAND_SELECT = 0xc1,
	TDS_COMMAND_INSERT = 0xc3,
	TDS_COMMAND_EXECUTE = 0xe0,
	TDS_COMMAND_OTHER = 0xfd
};

enum tds_kind {
	TDS_NULL,
	TDS_INT,
	TDS_BIGINT,
	TDS_BIT,
	TDS_VARCHAR,
	TDS_NVARCHAR,
	TDS_BINARY,
	TDS_DATETIME
};

struct tds_value {
	enum tds_kind kind;
	int64_t number; /* INT, BIGINT, BIT; DATETIME: microseconds since 1970 */
	struct slice text;
};

struct tds_column {
	struct slice name;
	enum tds_kind kind; /* NULL stands for INT that may be null */
	bool nullable;
	uint16_t width; /* characters or bytes; 0: one */
};

/* A response under construction. */
struct tds_stream {
	struct writer bytes;
	enum tds_version version;
	const char *server; /* in messages */
	size_t last_done;   /* offset of the last DONE's status; 0: none yet */
};

struct tds_message {
	enum tds_token token;
	uint32_t number;
	uint8_t state, severity;
	const char *procedure; /* NULL: none */
	uint32_t line;
};

void tds_message(struct tds_stream *out, const struct tds_message *message, struct slice text);
/* ENVCHANGE of a text value. */
void tds_environment(struct tds_stream *out, enum tds_environment kind, struct slice now,
		     struct slice before);
/* ENVCHANGE of the collation: SQL_Latin1_General_CP1_CI_AS, the default of the United States. */
void tds_collation(struct tds_stream *out);
void tds_login_ack(struct tds_stream *out, const char *program, const uint8_t version[4]);
/* The server's step of an integrated login. */
void tds_sspi(struct tds_stream *out, struct slice token);

void tds_columns(struct tds_stream *out, const struct tds_column *columns, size_t count);
/* One row; a value of another kind than its column's is converted, or NULL where it cannot be. */
void tds_row(struct tds_stream *out, const struct tds_column *columns,
	     const struct tds_value *values, size_t count);
/* A DONE of any of the three tokens; it says that more follows until tds_finish takes that back. */
void tds_done(struct tds_stream *out, enum tds_token token, unsigned status,
	      enum tds_command command, uint64_t rows);
void tds_return_status(struct tds_stream *out, int32_t status);
void tds_return_number(struct tds_stream *out, uint16_t ordinal, const char *name, int32_t number);
/* Marks the last DONE as the end of the response. */
void tds_finish(struct tds_stream *out);

/* Cuts a message into packets of at most `size` bytes. */
void tds_packets(struct writer *out, enum tds_packet type, uint16_t size, uint16_t spid,
		 struct slice message);

/* UTF-16LE to UTF-8. Halves of surrogate pairs that stand alone become the three bytes of their
 * code point, which no UTF-8 text holds: nothing is lost. An odd last byte is dropped. */
void tds_to_utf8(struct slice utf16, struct writer *out);
/* UTF-8 to UTF-16LE; bytes that are not UTF-8 count as Latin-1. */
void tds_to_utf16(struct slice utf8, struct writer *out);

#endif
