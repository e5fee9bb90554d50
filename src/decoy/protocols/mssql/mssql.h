/* The inside of the SQL Server decoy: one connection, and what its files offer each other.
 *
 * mssql.c puts packets together and takes turns; login.c speaks PRELOGIN, LOGIN7, the login of TDS
 * 4.2 and NTLM; query.c runs batches statement by statement; request.c takes remote procedure calls
 * apart; procedure.c plays stored procedures; catalog.c holds tables and functions; shell.c is what
 * lies behind xp_cmdshell.
 */
#ifndef MSSQL_MSSQL_H
#define MSSQL_MSSQL_H

#include "decoy/protocol.h"
#include "tds.h"

/* Longest message over all its packets; SQL Server itself takes 65,536 packets. */
#define MSSQL_MESSAGE_MAX ((size_t)1024 * 1024)
/* Longest response; the session's own output limit is 1 MiB. */
#define MSSQL_RESPONSE_MAX ((size_t)512 * 1024)
/* SQL Server's sysname. */
#define MSSQL_NAME_MAX 128
/* Statement kept by sp_prepare, for sp_execute. */
#define MSSQL_PREPARED_MAX 4096
/* Tables that one session may make: enough for any tool's scratch tables. */
#define MSSQL_TABLES_MAX 8

enum mssql_encryption { MSSQL_OFF, MSSQL_ON, MSSQL_REQUIRED, MSSQL_NOT_SUPPORTED };

struct mssql_options {
	int encryption;
	bool xp_cmdshell;
};

enum mssql_phase { MSSQL_PRELOGIN, MSSQL_HANDSHAKE, MSSQL_LOGIN, MSSQL_CHALLENGED, MSSQL_READY };
enum mssql_tls { MSSQL_CLEAR, MSSQL_TLS_LOGIN, MSSQL_TLS_ALL };

/* A table that the client made; it remembers the command whose output was stored in it. */
struct mssql_table {
	struct slice name, command;
	struct mssql_table *next;
};

struct mssql {
	enum mssql_phase phase;
	enum mssql_tls tls;
	enum tds_version version;
	enum tds_packet message_type;
	uint16_t packet_size, spid;
	uint8_t challenge[8];
	bool administrator;
	/* Bits by catalog_settings: as configured, and as running since RECONFIGURE. */
	uint16_t configured, running;
	struct writer message;                          /* packets of one message so far */
	struct writer plain;                            /* decrypted, not yet a packet */
	struct slice user, database, host, application; /* in the session's arena */
	struct slice prepared;
	struct mssql_table *tables;
	unsigned table_count;
};

/* --- mssql.c --- */

struct tds_stream mssql_stream(struct session *session, const struct mssql *mssql);
/* Sends the stream as one response, encrypted where it must be, and frees it. */
void mssql_send(struct session *session, struct mssql *mssql, struct tds_stream *out);
/* Text of the client as UTF-8: UTF-16LE from TDS 7.0 on, else as it is. */
void mssql_decode(const struct mssql *mssql, struct slice bytes, struct writer *out);
const char *mssql_server_name(struct session *session);
void mssql_product_version(struct session *session, uint8_t version[4]);
const char *mssql_product_version_text(struct session *session);

/* --- login.c --- */

void mssql_prelogin(struct session *session, struct mssql *mssql, struct slice message);
void mssql_login7(struct session *session, struct mssql *mssql, struct slice message);
void mssql_old_login(struct session *session, struct mssql *mssql, struct slice message);
void mssql_sspi(struct session *session, struct mssql *mssql, struct slice message);

/* --- query.c, request.c --- */

void mssql_batch(struct session *session, struct mssql *mssql, struct slice message);
void mssql_request(struct session *session, struct mssql *mssql, struct slice message);

/* Bytes of the headers in front of a batch or request from TDS 7.2 on; 0 where there are none. */
size_t mssql_headers_length(const struct mssql *mssql, struct slice message);

#endif
