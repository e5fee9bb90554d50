/* Python's base64, binascii, hashlib, random, math, string and threading; see python.h. */
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/hash.h"
#include "decoy/machine/commands/python.h"

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

/* --- bytes as text --- */

static bool takes_bytes(struct python *py, struct python_value v)
{
	if (v.kind == PYTHON_BYTES)
		return true;
	if (v.kind != PYTHON_OPAQUE)
		(void)python_raise(py, "TypeError", "a bytes-like object is required, not '%s'",
				   python_type_name(v));
	return false;
}

bool python_data_decode(struct python *py, struct slice from, struct text *out)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, value = 0, pads = 0;
	size_t letters = 0;

	text_add_words(py->process, out, "");
	for (size_t i = 0; i < from.length; i++) {
		uint8_t c = from.at[i] == '-' ? '+' : from.at[i] == '_' ? '/' : from.at[i];
		const char *found = c ? strchr(alphabet, c) : NULL;

		if (i % 64 == 0)
			process_step(py->process);
		pads += c == '=';
		if (!found || (pads && letters % 4 != 0 && (letters + pads) % 4 == 0))
			continue;
		letters++;
		value = (value << 6 | (unsigned)(found - alphabet)) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			text_add_byte(py->process, out, (uint8_t)(value >> bits));
		}
	}
	return letters % 4 == 0 || (letters % 4 != 1 && letters % 4 + pads >= 4);
}

static struct python_value decode(struct python *py, struct python_arguments *arguments)
{
	static const struct python_place places[] = {
		{"base64.py", "b64decode", 88, 7, 51, "a2b_base64("}, {NULL}};
	struct python_value from = first_of(arguments);
	struct text out = {0};

	if (from.kind == PYTHON_OPAQUE)
		return from;
	if (from.kind != PYTHON_TEXT && !takes_bytes(py, from))
		return python_none();
	if (!python_data_decode(py, from.text, &out))
		return python_raise_in(py, places, "binascii.Error", "Incorrect padding");
	return python_bytes(text_slice(&out));
}

static struct python_value encode(struct python *py, struct python_arguments *arguments)
{
	struct writer writer = writer_growing(2 * PYTHON_TEXT_MAX);
	struct slice made;

	if (!takes_bytes(py, first_of(arguments)))
		return python_none();
	writer_base64(&writer, first_of(arguments).text);
	made = slice_of(process_copy_slice(py->process, writer_slice(&writer)), writer.length);
	writer_free(&writer);
	return python_bytes(made);
}

static struct python_value encode_line(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = encode(py, arguments);

	return made.kind == PYTHON_BYTES
		       ? python_binary(py, SLICE("+"), made, python_bytes(SLICE("\n")))
		       : made;
}

static struct python_value hex_of(struct python *py, struct python_arguments *arguments)
{
	struct python_arguments none = {0};
	struct python_value made;

	if (!takes_bytes(py, first_of(arguments)))
		return python_none();
	made = python_method(py, first_of(arguments), "hex", &none);
	return python_bytes(made.text);
}

static struct python_value bytes_of_hex(struct python *py, struct python_arguments *arguments)
{
	struct slice text = python_str(py, first_of(arguments));
	struct text digits = {0};
	uint8_t *bytes = process_take(py->process, text.length / 2 + 1);
	int count;

	text_add_words(py->process, &digits, "");
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] != ' ')
			text_add_byte(py->process, &digits, text.at[i]);
	count = slice_unhex(text_slice(&digits), bytes, text.length / 2 + 1);
	if (count < 0 || digits.length % 2)
		return python_raise(py, "ValueError",
				    "non-hexadecimal number found in fromhex() arg at position 0");
	return python_bytes(slice_of(bytes, (size_t)count));
}

static struct python_value int_of_bytes(struct python *py, struct python_arguments *arguments)
{
	struct python_value bytes = first_of(arguments),
			    order = python_argument(arguments, 1, "byteorder");
	bool little = order.kind == PYTHON_TEXT && slice_is(order.text, "little");
	uint64_t number = 0;

	if (!takes_bytes(py, bytes))
		return python_none();
	if (bytes.text.length > 7) {
		py->beyond = true;
		return python_none();
	}
	for (size_t i = 0; i < bytes.text.length; i++)
		number = number << 8 | bytes.text.at[little ? bytes.text.length - 1 - i : i];
	return python_int((int64_t)number);
}

/* --- hashes: a thing whose text says which, its bytes as its `of` --- */

static struct python_value make_hash(struct python *py, struct python_arguments *arguments,
				     const char *name)
{
	struct python_value made = python_thing(py, "_hashlib.HASH"), of = first_of(arguments);

	if (arguments->count && !takes_bytes(py, of))
		return of;
	python_thing_set(py, made, "name", python_words(name));
	python_thing_set(py, made, "of", arguments->count ? of : python_bytes(slice_of("", 0)));
	return made;
}

static struct python_value hash_md5(struct python *py, struct python_arguments *arguments)
{
	return make_hash(py, arguments, "md5");
}

static struct python_value hash_sha1(struct python *py, struct python_arguments *arguments)
{
	return make_hash(py, arguments, "sha1");
}

static struct python_value hash_sha224(struct python *py, struct python_arguments *arguments)
{
	return make_hash(py, arguments, "sha224");
}

static struct python_value hash_sha_256(struct python *py, struct python_arguments *arguments)
{
	return make_hash(py, arguments, "sha256");
}

static struct python_value hash_sha384(struct python *py, struct python_arguments *arguments)
{
	return make_hash(py, arguments, "sha384");
}

static struct python_value hash_sha512(struct python *py, struct python_arguments *arguments)
{
	return make_hash(py, arguments, "sha512");
}

static struct python_value add_to_hash(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	if (takes_bytes(py, first_of(arguments)))
		python_thing_set(py, self, "of",
				 python_binary(py, SLICE("+"), python_thing_get(py, self, "of"),
					       first_of(arguments)));
	return python_none();
}

static struct python_value digest(struct python *py, struct python_value self,
				  struct python_arguments *arguments)
{
	const EVP_MD *kind = EVP_get_digestbyname(
		process_copy_slice(py->process, python_thing_get(py, self, "name").text));
	struct slice of = python_thing_get(py, self, "of").text;
	uint8_t *bytes = process_take(py->process, EVP_MAX_MD_SIZE);
	unsigned length = 0;

	if (!kind || EVP_Digest(of.at, of.length, bytes, &length, kind, NULL) != 1)
		return python_raise(py, "ValueError", "unsupported hash type");
	return python_bytes(slice_of(bytes, length));
}

static struct python_value hex_digest(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	return python_method(py, digest(py, self, arguments), "hex", arguments);
}

/* --- threads: they run where they start --- */

static struct python_value make_thread(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_thing(py, "Thread");

	python_thing_set(py, made, "target", python_argument(arguments, 1, "target"));
	python_thing_set(py, made, "arguments", python_argument(arguments, 3, "args"));
	return made;
}

static struct python_value run_thread(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	struct python_value of = python_thing_get(py, self, "arguments");
	struct python_value target = python_thing_get(py, self, "target");
	struct python_arguments given = {0};

	if (of.kind == PYTHON_TUPLE || of.kind == PYTHON_LIST) {
		given.count = of.list->count;
		given.values = of.list->items;
		given.names = process_take(py->process, (given.count + 1) * sizeof(*given.names));
	}
	if (target.kind != PYTHON_NONE && !python_deep(py))
		(void)python_call(py, target, &given);
	return python_none();
}

static struct python_value join_thread(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	return python_none();
}

python_method_function *python_data_method(const char *class, const char *name)
{
	static const struct {
		const char *class, *name;
		python_method_function *run;
	} methods[] = {
		{"_hashlib.HASH", "update", add_to_hash},
		{"_hashlib.HASH", "digest", digest},
		{"_hashlib.HASH", "hexdigest", hex_digest},
		{"Thread", "start", run_thread},
		{"Thread", "run", run_thread},
		{"Thread", "join", join_thread},
		{"Thread", "setDaemon", join_thread},
	};

	for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
		if (strcmp(methods[i].class, class) == 0 && strcmp(methods[i].name, name) == 0)
			return methods[i].run;
	return NULL;
}

/* --- random --- */

static struct python_value random_real(struct python *py, struct python_arguments *arguments)
{
	return python_float((double)process_random_number(py->process, (uint64_t)1 << 53) /
			    9007199254740992.0);
}

static struct python_value random_between(struct python *py, struct python_arguments *arguments)
{
	int64_t low = python_integer(first_of(arguments)),
		high = python_integer(python_argument(arguments, 1, "b"));
	uint64_t span = (uint64_t)high - (uint64_t)low;

	if (low > high)
		return python_raise(py, "ValueError",
				    "empty range for randrange() (%lld, %lld, %lld)",
				    (long long)low, (long long)((uint64_t)high + 1),
				    (long long)((uint64_t)high + 1 - (uint64_t)low));
	return python_int((
		int64_t)((uint64_t)low +
			 process_random_number(py->process, span == UINT64_MAX ? span : span + 1)));
}

static struct python_value random_item(struct python *py, struct python_arguments *arguments)
{
	struct python_list *items = python_items(py, first_of(arguments));

	if (!items->count)
		return python_raise(py, "IndexError", "list index out of range");
	return items->items[process_random_number(py->process, items->count)];
}

static struct python_value random_items(struct python *py, struct python_arguments *arguments)
{
	struct python_list *items = python_items(py, first_of(arguments));
	struct python_value made = python_list(py, PYTHON_LIST);
	struct python_value count = python_argument(arguments, 1, "k");

	for (int64_t i = 0;
	     items->count && i < (count.kind == PYTHON_INT ? count.integer : 1) && !py->raised; i++)
		python_append(py, made,
			      items->items[process_random_number(py->process, items->count)]);
	return made;
}

static struct python_value shuffle(struct python *py, struct python_arguments *arguments)
{
	struct python_value of = first_of(arguments);

	for (size_t i = of.kind == PYTHON_LIST ? of.list->count : 0; i > 1; i--) {
		size_t at = process_random_number(py->process, i);
		struct python_value other = of.list->items[i - 1];

		of.list->items[i - 1] = of.list->items[at];
		of.list->items[at] = other;
		process_step(py->process);
	}
	return python_none();
}

static struct python_value random_hex(struct python *py, struct python_arguments *arguments)
{
	int64_t count =
		first_of(arguments).kind == PYTHON_INT ? python_integer(first_of(arguments)) : 32;
	struct text out = {0};

	text_add_words(py->process, &out, "");
	for (int64_t i = 0; i < count && i < 4096; i++)
		text_format(py->process, &out, "%02x",
			    (unsigned)process_random_number(py->process, 256));
	return python_text(text_slice(&out));
}

static struct python_value random_bytes_of(struct python *py, struct python_arguments *arguments)
{
	int64_t count = python_integer(first_of(arguments));
	uint8_t *bytes;

	if (count < 0)
		return python_raise(py, "ValueError", "negative argument not allowed");
	count = count > 65536 ? 65536 : count;
	bytes = process_take(py->process, (size_t)count + 1);
	process_random(py->process, bytes, (size_t)count);
	return python_bytes(slice_of(bytes, (size_t)count));
}

/* --- math --- */

static struct python_value of_real(struct python *py, struct python_arguments *arguments,
				   double (*function)(double))
{
	struct python_value v = first_of(arguments);
	double result;

	if (!python_is_number(v))
		return python_raise(py, "TypeError", "must be real number, not %s",
				    python_type_name(v));
	result = function(python_number(v));
	if (isnan(result) && !isnan(python_number(v)))
		return python_raise(py, "ValueError", "math domain error");
	if (isinf(result) && !isinf(python_number(v)))
		return function == log ? python_raise(py, "ValueError", "math domain error")
				       : python_raise(py, "OverflowError", "math range error");
	return python_float(result);
}

#define OF_REAL(name)                                                            \
	static struct python_value do_##name(struct python *py,                  \
					     struct python_arguments *arguments) \
	{                                                                        \
		return of_real(py, arguments, name);                             \
	}
OF_REAL(sqrt)
OF_REAL(exp)
OF_REAL(sin)
OF_REAL(cos)
OF_REAL(tan)
OF_REAL(atan)
OF_REAL(log2)
OF_REAL(log10)
OF_REAL(fabs)

static struct python_value do_log(struct python *py, struct python_arguments *arguments)
{
	struct python_value base = python_argument(arguments, 1, NULL);
	struct python_value made = of_real(py, arguments, log);

	if (python_is_number(base) && made.kind == PYTHON_FLOAT)
		made.real /= log(python_number(base));
	return made;
}

static struct python_value do_floor(struct python *py, struct python_arguments *arguments)
{
	return python_whole(py, floor(python_number(first_of(arguments))));
}

static struct python_value do_ceil(struct python *py, struct python_arguments *arguments)
{
	return python_whole(py, ceil(python_number(first_of(arguments))));
}

static struct python_value do_pow(struct python *py, struct python_arguments *arguments)
{
	return python_float(pow(python_number(first_of(arguments)),
				python_number(python_argument(arguments, 1, NULL))));
}

static struct python_value factorial(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_int(1);

	for (int64_t i = 2; i <= python_integer(first_of(arguments)) && !python_fails(py); i++)
		made = python_binary(py, SLICE("*"), made, python_int(i));
	return made;
}

static struct python_value divisor(struct python *py, struct python_arguments *arguments)
{
	int64_t x = python_integer(first_of(arguments)),
		y = python_integer(python_argument(arguments, 1, NULL));
	uint64_t a = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
	uint64_t b = y < 0 ? 0 - (uint64_t)y : (uint64_t)y;

	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return python_int((int64_t)a);
}

const struct python_entry python_data_functions[] = {
	{"base64.b64decode", decode},
	{"base64.urlsafe_b64decode", decode},
	{"base64.decodebytes", decode},
	{"base64.standard_b64decode", decode},
	{"binascii.a2b_base64", decode},
	{"base64.b64encode", encode},
	{"base64.standard_b64encode", encode},
	{"base64.encodebytes", encode_line},
	{"binascii.b2a_base64", encode_line},
	{"binascii.hexlify", hex_of},
	{"binascii.unhexlify", bytes_of_hex},
	{"bytes.fromhex", bytes_of_hex},
	{"bytearray.fromhex", bytes_of_hex},
	{"int.from_bytes", int_of_bytes},
	{"hashlib.md5", hash_md5},
	{"hashlib.sha1", hash_sha1},
	{"hashlib.sha224", hash_sha224},
	{"hashlib.sha256", hash_sha_256},
	{"hashlib.sha384", hash_sha384},
	{"hashlib.sha512", hash_sha512},
	{"threading.Thread", make_thread},
	{"multiprocessing.Process", make_thread},
	{"random.random", random_real},
	{"random.randint", random_between},
	{"random.randrange", random_between},
	{"random.choice", random_item},
	{"random.choices", random_items},
	{"random.sample", random_items},
	{"random.shuffle", shuffle},
	{"random.token_hex", random_hex},
	{"os.urandom", random_bytes_of},
	{"math.sqrt", do_sqrt},
	{"math.exp", do_exp},
	{"math.sin", do_sin},
	{"math.cos", do_cos},
	{"math.tan", do_tan},
	{"math.atan", do_atan},
	{"math.log", do_log},
	{"math.log2", do_log2},
	{"math.log10", do_log10},
	{"math.fabs", do_fabs},
	{"math.floor", do_floor},
	{"math.ceil", do_ceil},
	{"math.pow", do_pow},
	{"math.factorial", factorial},
	{"math.gcd", divisor},
	{0},
};

bool python_data_constant(struct python *py, const char *name, struct python_value *result)
{
	static const struct {
		const char *name, *text;
	} texts[] = {
		{"string.ascii_lowercase", "abcdefghijklmnopqrstuvwxyz"},
		{"string.ascii_uppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		{"string.ascii_letters", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},
		{"string.digits", "0123456789"},
		{"string.hexdigits", "0123456789abcdefABCDEF"},
		{"string.octdigits", "01234567"},
		{"string.punctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"},
		{"string.whitespace", " \t\n\r\v\f"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		if (strcmp(texts[i].name, name) == 0) {
			*result = python_words(texts[i].text);
			return true;
		}
	*result = python_float(strcmp(name, "math.pi") == 0  ? M_PI
			       : strcmp(name, "math.e") == 0 ? M_E
							     : (double)INFINITY);
	return strcmp(name, "math.pi") == 0 || strcmp(name, "math.e") == 0 ||
	       strcmp(name, "math.inf") == 0;
}
