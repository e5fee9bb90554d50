/* Ethereum methods; see ethereum_methods.h. The chain is mainnet's in number and pace; hashes are
 * derived from block numbers, so that asking twice gives the same answer. */
#include <stdio.h>

#include "base/keccak.h"
#include "decoy/protocols/ethereum_methods.h"

#define MERGE_BLOCK    15537394            /* first block with 12-second slots ... */
#define MERGE_TIME     INT64_C(1663224179) /* ... and when it was, seconds */
#define SLOT           12
#define BLOCK_PERMILLE 12102 /* milliseconds a block since then, missed slots included */
#define UNLOCK_STANDARD                                                          \
	300 /* seconds that an account stays unlocked if the caller says nothing \
	     */

#define SERVER_ERROR   (-32000)
#define METHOD_UNKNOWN (-32601)
#define BAD_ARGUMENT   (-32602)

/* Accounts that this source has unlocked, and until when. */
struct unlocked {
	int64_t until[ETHEREUM_ACCOUNTS];
};

static void PRINTF(3, 4) fail(struct ethereum_call *call, int error, const char *format, ...)
{
	va_list arguments;

	call->error = error;
	va_start(arguments, format);
	vsnprintf(call->message, sizeof(call->message), format, arguments);
	va_end(arguments);
}

/* --- JSON --- */

struct slice ethereum_raw(struct json_reader *reader, enum json_kind kind, struct slice token)
{
	size_t start = reader->at - 1;

	switch (kind) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (json_skip(reader, kind) < 0)
			return slice_of(NULL, 0);
		return slice_of(reader->text.at + start, reader->at - start);
	case JSON_STRING:
		return slice_of(token.at - 1, token.length + 2);
	case JSON_NUMBER:
		return token;
	case JSON_TRUE:
	case JSON_NULL:
		return slice_of(reader->text.at + reader->at - 4, 4);
	case JSON_FALSE:
		return slice_of(reader->text.at + reader->at - 5, 5);
	default:
		return slice_of(NULL, 0);
	}
}

/* The text of a raw value: strings unescaped, others as they stand. */
static void value_text(struct writer *out, struct slice raw)
{
	if (raw.length >= 2 && raw.at[0] == '"')
		json_unescape(out, slice_first(slice_from(raw, 1), raw.length - 2));
	else
		writer_bytes(out, raw);
}

bool ethereum_field(struct slice object, const char *name, struct writer *out)
{
	struct json_reader reader = json_reader_of(object);
	struct slice token;

	if (json_next(&reader, &token) != JSON_OBJECT)
		return false;
	while (json_next(&reader, &token) == JSON_KEY) {
		bool found = slice_is(token, name);
		enum json_kind kind = json_next(&reader, &token);
		struct slice raw = ethereum_raw(&reader, kind, token);

		if (raw.length == 0)
			return false;
		if (found) {
			value_text(out, raw);
			return true;
		}
	}
	return false;
}

static void put_hex(struct json_writer *j, uint64_t number)
{
	uint8_t room[32];
	struct writer text = writer_fixed(room, sizeof(room));

	writer_format(&text, "0x%llx", (unsigned long long)number);
	json_string(j, writer_slice(&text));
}

static void put_bytes(struct json_writer *j, struct slice bytes)
{
	uint8_t room[2 + 2 * 300];
	struct writer text = writer_fixed(room, sizeof(room));

	writer_text(&text, "0x");
	writer_hex(&text, bytes);
	json_string(j, writer_slice(&text));
}

/* A number argument: "0x10", 16 or "latest". */
static bool take_number(struct slice raw, uint64_t latest, uint64_t *number)
{
	uint8_t room[32];
	struct writer text = writer_fixed(room, sizeof(room));
	struct slice value;

	value_text(&text, raw);
	value = writer_slice(&text);
	*number = latest;
	if (text.failed || !slice_starts(value, "0x")) {
		int64_t decimal;

		if (slice_is(value, "earliest"))
			*number = 0;
		else if (slice_number(value, 0, INT64_MAX, &decimal) == 0)
			*number = (uint64_t)decimal;
		else
			return slice_is(value, "latest") || slice_is(value, "pending") ||
			       slice_is(value, "safe") || slice_is(value, "finalized");
		return true;
	}
	*number = 0;
	for (size_t i = 2; i < value.length; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = value.at[i] ? strchr(digits, value.at[i] | 0x20) : NULL;

		if (!digit || i > 17)
			return false;
		*number = *number << 4 | (uint64_t)(digit - digits);
	}
	return value.length > 2;
}

/* --- accounts --- */

static void account_bytes(const struct session *session, size_t index, uint8_t out[20])
{
	char label[32];

	snprintf(label, sizeof(label), "ethereum.account.%zu", index);
	persona_derive(session_persona(session), label, out, 20);
}

static void account_text(const struct session *session, size_t index, struct writer *out)
{
	uint8_t bytes[20];

	account_bytes(session, index, bytes);
	writer_text(out, "0x");
	writer_hex(out, slice_of(bytes, sizeof(bytes)));
}

static size_t find_account(const struct session *session, struct slice address)
{
	for (size_t i = 0; i < ETHEREUM_ACCOUNTS; i++) {
		uint8_t room[64];
		struct writer text = writer_fixed(room, sizeof(room));

		account_text(session, i, &text);
		writer_u8(&text, 0);
		if (slice_is_nocase(address, (const char *)room))
			return i;
	}
	return ETHEREUM_ACCOUNTS;
}

/* Balance in wei over 10^9, so that it fits 64 bits: a few ether, moved by nobody but us. */
static uint64_t balance_gwei(const struct session *session, size_t index)
{
	static const int64_t most[ETHEREUM_ACCOUNTS] = {INT64_C(48000000000), INT64_C(2600000000),
							90000000};
	char label[32];

	if (index >= ETHEREUM_ACCOUNTS)
		return 0;
	snprintf(label, sizeof(label), "ethereum.balance.%zu", index);
	return (uint64_t)persona_derive_number(session_persona(session), label, most[index] / 4,
					       most[index]);
}

static void do_accounts(struct ethereum_call *call)
{
	json_array(call->result);
	for (size_t i = 0; i < ETHEREUM_ACCOUNTS; i++) {
		uint8_t room[64];
		struct writer text = writer_fixed(room, sizeof(room));

		account_text(call->session, i, &text);
		json_string(call->result, writer_slice(&text));
	}
	json_array_end(call->result);
}

static size_t account_argument(struct ethereum_call *call, size_t index, struct writer *text)
{
	value_text(text, call->arguments[index]);
	return find_account(call->session, writer_slice(text));
}

static void do_get_balance(struct ethereum_call *call)
{
	uint8_t room[ETHEREUM_TEXT_MAX], bytes[16];
	struct writer text = writer_fixed(room, sizeof(room));
	struct writer wei = writer_fixed(bytes, sizeof(bytes));
	size_t account = account_argument(call, 0, &text), skip = 0;
	unsigned __int128 amount = balance_gwei(call->session, account);
	uint8_t hex_room[40];
	struct writer hex = writer_fixed(hex_room, sizeof(hex_room));

	amount *= 1000000000u;
	writer_u64be(&wei, (uint64_t)(amount >> 64));
	writer_u64be(&wei, (uint64_t)amount);
	writer_hex(&hex, writer_slice(&wei));
	while (skip + 1 < hex.length && hex.at[skip] == '0')
		skip++;
	writer_clear(&text);
	writer_text(&text, "0x");
	writer_bytes(&text, slice_from(writer_slice(&hex), skip));
	json_string(call->result, writer_slice(&text));
}

static void do_transaction_count(struct ethereum_call *call)
{
	uint8_t room[ETHEREUM_TEXT_MAX];
	struct writer text = writer_fixed(room, sizeof(room));
	size_t account = account_argument(call, 0, &text);

	put_hex(call->result, account < ETHEREUM_ACCOUNTS ? (uint64_t)persona_derive_number(
								    session_persona(call->session),
								    "ethereum.nonce", 12, 260) >>
								    account
							  : 0);
}

/* --- the chain --- */

static uint64_t block_number(const struct session *session)
{
	int64_t seconds = session_now(session) / SECOND - MERGE_TIME;

	return seconds < 0 ? MERGE_BLOCK : MERGE_BLOCK + (uint64_t)seconds * 1000 / BLOCK_PERMILLE;
}

static int64_t block_time(uint64_t number)
{
	if (number < MERGE_BLOCK) /* 13.3 seconds a block on average since July 2015 */
		return 1438269988 + (int64_t)((double)number * 14.48);
	return MERGE_TIME + (int64_t)((number - MERGE_BLOCK) * BLOCK_PERMILLE / 1000 / SLOT * SLOT);
}

static void derive_hash(const char *label, uint64_t number, uint8_t hash[KECCAK_LENGTH])
{
	uint8_t room[64];
	struct writer text = writer_fixed(room, sizeof(room));

	writer_text(&text, label);
	writer_u64be(&text, number);
	keccak_256(writer_slice(&text), hash);
}

static void put_hash(struct json_writer *j, const char *key, const char *label, uint64_t number)
{
	uint8_t hash[KECCAK_LENGTH];

	derive_hash(label, number, hash);
	json_key(j, key);
	put_bytes(j, slice_of(hash, sizeof(hash)));
}

static void put_number(struct json_writer *j, const char *key, uint64_t number)
{
	json_key(j, key);
	put_hex(j, number);
}

static uint64_t base_fee(uint64_t block)
{
	uint8_t hash[KECCAK_LENGTH];

	derive_hash("fee", block / 40, hash);
	return UINT64_C(600000000) + (uint64_t)(hash[0] << 16 | hash[1] << 8 | hash[2]) * 300;
}

static void put_block(struct json_writer *j, uint64_t number)
{
	static const uint8_t nothing[256];

	json_object(j);
	put_number(j, "baseFeePerGas", base_fee(number));
	put_number(j, "difficulty", 0);
	json_key(j, "extraData");
	json_text(j, "0x");
	put_number(j, "gasLimit", 36000000);
	put_number(j, "gasUsed", 12000000 + number * 7919 % 9000000);
	put_hash(j, "hash", "block", number);
	json_key(j, "logsBloom");
	put_bytes(j, slice_of(nothing, sizeof(nothing)));
	json_key(j, "miner");
	json_text(j, "0x95222290dd7278aa3ddd389cc1e1d165cc4bafe5");
	put_hash(j, "mixHash", "mix", number);
	json_key(j, "nonce");
	json_text(j, "0x0000000000000000");
	put_number(j, "number", number);
	put_hash(j, "parentHash", "block", number ? number - 1 : 0);
	put_hash(j, "receiptsRoot", "receipts", number);
	json_key(j, "sha3Uncles");
	json_text(j, "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
	put_number(j, "size", 40000 + number * 6007 % 90000);
	put_hash(j, "stateRoot", "state", number);
	put_number(j, "timestamp", (uint64_t)block_time(number));
	json_key(j, "transactions");
	json_array(j);
	json_array_end(j);
	put_hash(j, "transactionsRoot", "transactions", number);
	json_key(j, "uncles");
	json_array(j);
	json_array_end(j);
	json_object_end(j);
}

static void do_block_number(struct ethereum_call *call)
{
	put_hex(call->result, block_number(call->session));
}

static void do_get_block(struct ethereum_call *call)
{
	uint64_t latest = block_number(call->session), number;

	if (!take_number(call->arguments[0], latest, &number))
		fail(call, BAD_ARGUMENT, "invalid argument 0: hex string without 0x prefix");
	else if (number > latest)
		json_null(call->result);
	else
		put_block(call->result, number);
}

static void do_gas_price(struct ethereum_call *call)
{
	put_hex(call->result, base_fee(block_number(call->session)) + 100000000);
}

static void do_sha3(struct ethereum_call *call)
{
	uint8_t bytes[ETHEREUM_TEXT_MAX], hash[KECCAK_LENGTH], room[2 * ETHEREUM_TEXT_MAX + 2];
	struct writer text = writer_fixed(room, sizeof(room));
	int length;

	value_text(&text, call->arguments[0]);
	length = slice_unhex(slice_from(writer_slice(&text), 2), bytes, sizeof(bytes));
	if (text.failed || !slice_starts(writer_slice(&text), "0x") || length < 0) {
		fail(call, BAD_ARGUMENT,
		     "invalid argument 0: json: cannot unmarshal hex string without 0x prefix into "
		     "Go "
		     "value of type hexutil.Bytes");
		return;
	}
	keccak_256(slice_of(bytes, (size_t)length), hash);
	put_bytes(call->result, slice_of(hash, sizeof(hash)));
}

/* --- the wallet --- */

static struct unlocked *unlocked_of(struct ethereum_call *call)
{
	return session_memory(call->session, sizeof(struct unlocked));
}

static bool is_unlocked(struct ethereum_call *call, size_t account)
{
	const struct unlocked *unlocked = unlocked_of(call);

	return unlocked && account < ETHEREUM_ACCOUNTS &&
	       unlocked->until[account] > session_now(call->session);
}

static bool try_password(struct ethereum_call *call, struct slice account, size_t argument)
{
	uint8_t room[ETHEREUM_TEXT_MAX];
	struct writer password = writer_fixed(room, sizeof(room));
	char verb[64];
	struct session_login login = {.method = "ethereum", .user = account, .verb = verb};

	snprintf(verb, sizeof(verb), "%.*s", (int)call->method.length,
		 (const char *)call->method.at);
	login.method = verb;
	if (argument < call->count)
		value_text(&password, call->arguments[argument]);
	login.password = writer_slice(&password);
	return session_login(call->session, &login).allowed;
}

static void do_unlock(struct ethereum_call *call)
{
	uint8_t room[ETHEREUM_TEXT_MAX];
	struct writer address = writer_fixed(room, sizeof(room));
	size_t account = account_argument(call, 0, &address);
	struct unlocked *unlocked;
	uint64_t seconds = UNLOCK_STANDARD;
	bool allowed = try_password(call, writer_slice(&address), 1);

	if (account == ETHEREUM_ACCOUNTS) {
		fail(call, SERVER_ERROR, "no key for given address or file");
		return;
	}
	if (!allowed) {
		fail(call, SERVER_ERROR, "could not decrypt key with given password");
		return;
	}
	unlocked = unlocked_of(call);
	if (call->count > 2 && (!take_number(call->arguments[2], UNLOCK_STANDARD, &seconds) ||
				seconds == 0 || seconds > 86400))
		seconds = 86400;
	if (unlocked)
		unlocked->until[account] = session_now(call->session) + (int64_t)seconds * SECOND;
	json_boolean(call->result, true);
}

static void do_lock(struct ethereum_call *call)
{
	uint8_t room[ETHEREUM_TEXT_MAX];
	struct writer address = writer_fixed(room, sizeof(room));
	size_t account = account_argument(call, 0, &address);
	struct unlocked *unlocked = unlocked_of(call);

	if (unlocked && account < ETHEREUM_ACCOUNTS)
		unlocked->until[account] = 0;
	json_boolean(call->result, account < ETHEREUM_ACCOUNTS);
}

static void put_transaction_hash(struct ethereum_call *call)
{
	uint8_t hash[KECCAK_LENGTH];

	keccak_256(call->arguments[0], hash);
	put_bytes(call->result, slice_of(hash, sizeof(hash)));
}

/* The account that an argument (a transaction or an address) would spend from. */
static size_t spender(struct ethereum_call *call, size_t argument, struct writer *address)
{
	struct slice raw = call->arguments[argument];

	if (raw.length && raw.at[0] == '{')
		(void)ethereum_field(raw, "from", address);
	else
		value_text(address, raw);
	return find_account(call->session, writer_slice(address));
}

static void do_send_transaction(struct ethereum_call *call)
{
	uint8_t room[ETHEREUM_TEXT_MAX];
	struct writer address = writer_fixed(room, sizeof(room));
	size_t account = spender(call, 0, &address);

	if (account == ETHEREUM_ACCOUNTS)
		fail(call, SERVER_ERROR, "unknown account");
	else if (!is_unlocked(call, account))
		fail(call, SERVER_ERROR, "authentication needed: password or unlock");
	else
		put_transaction_hash(call);
}

static void do_personal_send(struct ethereum_call *call)
{
	uint8_t room[ETHEREUM_TEXT_MAX];
	struct writer address = writer_fixed(room, sizeof(room));
	size_t account = spender(call, 0, &address);
	bool allowed = try_password(call, writer_slice(&address), 1);

	if (account == ETHEREUM_ACCOUNTS)
		fail(call, SERVER_ERROR, "no key for given address or file");
	else if (!allowed)
		fail(call, SERVER_ERROR, "could not decrypt key with given password");
	else
		put_transaction_hash(call);
}

static void do_sign(struct ethereum_call *call)
{
	uint8_t room[ETHEREUM_TEXT_MAX], signature[65];
	struct writer address = writer_fixed(room, sizeof(room));
	size_t account = spender(call, 0, &address);

	if (account == ETHEREUM_ACCOUNTS) {
		fail(call, SERVER_ERROR, "unknown account");
	} else if (!is_unlocked(call, account)) {
		fail(call, SERVER_ERROR, "authentication needed: password or unlock");
	} else {
		keccak_256(call->arguments[1], signature);
		keccak_256(slice_of(signature, KECCAK_LENGTH), signature + KECCAK_LENGTH);
		signature[64] = 27 + (signature[0] & 1);
		put_bytes(call->result, slice_of(signature, sizeof(signature)));
	}
}

static void do_send_raw(struct ethereum_call *call)
{
	uint8_t hash[KECCAK_LENGTH], bytes[4096];
	struct slice raw = call->arguments[0];
	int length = -1;

	if (raw.length > 8 && slice_starts(raw, "\"0x"))
		length = slice_unhex(slice_first(slice_from(raw, 3), raw.length - 4), bytes,
				     sizeof(bytes));
	if (length < 40) {
		fail(call, SERVER_ERROR, "rlp: value size exceeds available input length");
		return;
	}
	keccak_256(slice_of(bytes, (size_t)length), hash);
	put_bytes(call->result, slice_of(hash, sizeof(hash)));
}

static void do_new_account(struct ethereum_call *call)
{
	uint8_t bytes[20];

	(void)try_password(call, slice_of(NULL, 0), call->count > 1 ? 1 : 0);
	session_random(call->session, bytes, sizeof(bytes));
	put_bytes(call->result, slice_of(bytes, sizeof(bytes)));
}

/* --- about the node --- */

static const char *client_name(const struct session *session)
{
	return persona_text(session_persona(session), "ethereum.client",
			    "Geth/v1.13.14-stable-2bd6bd01/linux-amd64/go1.21.6");
}

static void do_client_version(struct ethereum_call *call)
{
	json_text(call->result, client_name(call->session));
}

static void do_peer_count(struct ethereum_call *call)
{
	put_hex(call->result, (uint64_t)(session_now(call->session) / (97 * SECOND) % 17) + 34);
}

static void do_node_info(struct ethereum_call *call)
{
	struct json_writer *j = call->result;
	uint8_t id[32];
	uint8_t room[128];
	struct writer text = writer_fixed(room, sizeof(room));

	persona_derive(session_persona(call->session), "ethereum.node", id, sizeof(id));
	writer_hex(&text, slice_of(id, sizeof(id)));
	json_object(j);
	json_key(j, "id");
	json_string(j, writer_slice(&text));
	json_key(j, "name");
	json_text(j, client_name(call->session));
	json_key(j, "ip");
	json_text(j, "127.0.0.1");
	json_key(j, "ports");
	json_raw(j, SLICE("{\"discovery\":30303,\"listener\":30303}"));
	json_key(j, "listenAddr");
	json_text(j, "[::]:30303");
	json_object_end(j);
}

static void do_coinbase(struct ethereum_call *call)
{
	uint8_t room[64];
	struct writer text = writer_fixed(room, sizeof(room));

	account_text(call->session, 0, &text);
	json_string(call->result, writer_slice(&text));
}

/* --- the table --- */

static const struct method {
	const char *name;
	void (*run)(struct ethereum_call *call); /* NULL: always `constant` */
	const char *constant;
	uint8_t arguments; /* required */
} methods[] = {
	{"admin_addPeer", NULL, "true", 1},
	{"admin_nodeInfo", do_node_info, NULL, 0},
	{"admin_peers", NULL, "[]", 0},
	{"debug_traceTransaction", NULL, "null", 1},
	{"debug_metrics", NULL, "{}", 0},
	{"eth_accounts", do_accounts, NULL, 0},
	{"eth_blockNumber", do_block_number, NULL, 0},
	{"eth_call", NULL, "\"0x\"", 1},
	{"eth_chainId", NULL, "\"0x1\"", 0},
	{"eth_coinbase", do_coinbase, NULL, 0},
	{"eth_estimateGas", NULL, "\"0x5208\"", 1},
	{"eth_gasPrice", do_gas_price, NULL, 0},
	{"eth_getBalance", do_get_balance, NULL, 1},
	{"eth_getBlockByNumber", do_get_block, NULL, 1},
	{"eth_getBlockByHash", NULL, "null", 1},
	{"eth_getCode", NULL, "\"0x\"", 1},
	{"eth_getLogs", NULL, "[]", 1},
	{"eth_getStorageAt", NULL,
	 "\"0x0000000000000000000000000000000000000000000000000000000000000000\"", 2},
	{"eth_getTransactionByHash", NULL, "null", 1},
	{"eth_getTransactionCount", do_transaction_count, NULL, 1},
	{"eth_getTransactionReceipt", NULL, "null", 1},
	{"eth_hashrate", NULL, "\"0x0\"", 0},
	{"eth_maxPriorityFeePerGas", NULL, "\"0x5f5e100\"", 0},
	{"eth_mining", NULL, "false", 0},
	{"eth_newBlockFilter", NULL, "\"0x6fd1b3a2c0e84d1197a2f4c1b8e60d35\"", 0},
	{"eth_getFilterChanges", NULL, "[]", 1},
	{"eth_pendingTransactions", NULL, "[]", 0},
	{"eth_protocolVersion", NULL, "\"0x44\"", 0},
	{"eth_sendRawTransaction", do_send_raw, NULL, 1},
	{"eth_sendTransaction", do_send_transaction, NULL, 1},
	{"eth_sign", do_sign, NULL, 2},
	{"eth_signTransaction", do_send_transaction, NULL, 1},
	{"eth_syncing", NULL, "false", 0},
	{"miner_setEtherbase", NULL, "true", 1},
	{"miner_setGasPrice", NULL, "true", 1},
	{"miner_start", NULL, "null", 0},
	{"miner_stop", NULL, "null", 0},
	{"net_listening", NULL, "true", 0},
	{"net_peerCount", do_peer_count, NULL, 0},
	{"net_version", NULL, "\"1\"", 0},
	{"personal_importRawKey", do_new_account, NULL, 2},
	{"personal_listAccounts", do_accounts, NULL, 0},
	{"personal_lockAccount", do_lock, NULL, 1},
	{"personal_newAccount", do_new_account, NULL, 1},
	{"personal_sendTransaction", do_personal_send, NULL, 2},
	{"personal_unlockAccount", do_unlock, NULL, 2},
	{"rpc_modules", NULL,
	 "{\"admin\":\"1.0\",\"debug\":\"1.0\",\"eth\":\"1.0\",\"miner\":\"1.0\",\"net\":\"1.0\","
	 "\"personal\":\"1.0\",\"rpc\":\"1.0\",\"txpool\":\"1.0\",\"web3\":\"1.0\"}",
	 0},
	{"txpool_content", NULL, "{\"pending\":{},\"queued\":{}}", 0},
	{"txpool_status", NULL, "{\"pending\":\"0x0\",\"queued\":\"0x0\"}", 0},
	{"web3_clientVersion", do_client_version, NULL, 0},
	{"web3_sha3", do_sha3, NULL, 1},
};

void ethereum_run(struct ethereum_call *call)
{
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
		if (!slice_is(call->method, methods[i].name))
			continue;
		if (call->count < methods[i].arguments)
			fail(call, BAD_ARGUMENT, "missing value for required argument %zu",
			     call->count);
		else if (methods[i].run)
			methods[i].run(call);
		else
			json_raw(call->result, slice_text(methods[i].constant));
		return;
	}
	fail(call, METHOD_UNKNOWN, "the method %.*s does not exist/is not available",
	     (int)(call->method.length < 64 ? call->method.length : 64),
	     (const char *)call->method.at);
}
