/* SMB (MS-CIFS, MS-SMB2) as rules see it; shared by smb.c, smb1.c, smb2.c, smb_files.c. */
#ifndef CAPTURE_APPLICATION_SMB_H
#define CAPTURE_APPLICATION_SMB_H

#include "capture/application/dcerpc.h"

#define SMB_MESSAGE_MAX   (128 * 1024) /* of a message that is looked at; the rest is passed over */
#define SMB_TRANSFERS_MAX 4            /* files under way that are kept */
#define SMB_ASKED_MAX     16           /* requests whose answers say more */
#define SMB_NAME_MAX      260
#define SMB_CHAIN_MAX     16 /* commands in one message */

struct smb_transfer {
	bool used, told;
	enum direction direction;
	uint64_t file, length; /* length: of all of it, what was not kept included */
	struct writer bytes;
	char name[SMB_NAME_MAX];
};

/* A request to open or read whose answer is still to come. */
struct smb_asked {
	bool used;
	uint64_t message, file;
	char name[SMB_NAME_MAX];
};

struct smb_name {
	bool used;
	uint64_t file;
	char name[SMB_NAME_MAX];
};

struct smb {
	struct dcerpc rpc;
	uint64_t skip[2]; /* bytes of a long message that are passed over */
	bool lost[2];
	uint64_t transactions[2];
	struct smb_transfer transfers[SMB_TRANSFERS_MAX];
	struct smb_asked asked[SMB_ASKED_MAX];
	struct smb_name names[SMB_ASKED_MAX];
	unsigned transfer_next, asked_next, name_next;
};

/* One message at hand. */
struct smb_message {
	struct smb *smb;
	struct application_context *context;
	struct findings_view *view;
	enum direction direction;
	struct slice bytes; /* from its 0xFF or 0xFE on, cut short maybe */
};

void smb1_read(struct smb_message *message);
void smb2_read(struct smb_message *message);

/* Text in UTF-16LE or, not `wide`, in a code page, up to its end or a NUL. */
struct slice smb_text(struct arena *arena, struct slice bytes, bool wide);
/* Bytes at an offset of the message, as many as there are. */
struct slice smb_part(const struct smb_message *message, size_t offset, size_t length);
/* The path of a tree connect. */
void smb_tree(struct smb_message *message, struct slice path);
/* User and domain of an NTLMSSP AUTHENTICATE somewhere in it (MS-NLMP, 2.2.1.3). */
void smb_security(struct smb_message *message, struct slice blob);

/* Files. Data for a pipe is DCE/RPC, which is offered by itself. */
void smb_asks(struct smb *smb, uint64_t message, uint64_t file, struct slice name);
struct smb_asked *smb_answers(struct smb *smb, uint64_t message);
void smb_opened(struct smb *smb, uint64_t file, const char *name);
void smb_data(struct smb_message *message, uint64_t file, struct slice bytes, uint64_t length);
void smb_closed(struct smb *smb, struct application_context *context, uint64_t file);
/* Offers all that is under way. */
void smb_files_end(struct smb *smb, struct application_context *context);
void smb_files_drop(struct smb *smb);

#endif
