/* Python's socket and urllib: whoever they call does not answer, as outside.h tells; see python.h.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "decoy/machine/commands/outside.h"
#include "decoy/machine/commands/python.h"
#include "decoy/machine/host.h"

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

/* --- sockets: their thing has type and timeout, the number is a descriptor --- */

static struct python_value make_socket(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_thing(py, "socket.socket");
	struct python_value family = python_argument(arguments, 0, "family");
	struct python_value type = python_argument(arguments, 1, "type");

	if (family.kind != PYTHON_INT)
		family = python_int(AF_INET);
	if (type.kind != PYTHON_INT)
		type = python_int(SOCK_STREAM);
	if (type.integer == SOCK_RAW && py->process->identity.effective_uid != 0)
		return python_raise_system(py, EPERM, NULL);
	made.object->number = process_open(py->process, "/dev/null", O_RDWR, 0);
	python_thing_set(py, made, "family", family);
	python_thing_set(py, made, "type", type);
	python_thing_set(py, made, "proto", python_int(0));
	python_thing_set(py, made, "timeout", python_none());
	made.object->text = slice_text(process_format(
		py->process,
		"<socket.socket fd=%d, family=%d, type=%d, proto=0, laddr=('0.0.0.0', 0)>",
		(int)made.object->number, (int)family.integer, (int)type.integer));
	return made;
}

static int64_t limit_of(struct python *py, struct python_value socket)
{
	struct python_value timeout = python_thing_get(py, socket, "timeout");
	double seconds = python_is_number(timeout) ? python_number(timeout) : -1;

	return seconds < 0 || seconds > 1e6 ? -1 : (int64_t)(seconds * (double)SECOND);
}

static const char *lookup_words(enum outside_lookup found)
{
	return found == OUTSIDE_TRY_AGAIN ? "[Errno -3] Temporary failure in name resolution"
					  : "[Errno -2] Name or service not known";
}

static int raise_lookup(struct python *py, enum outside_lookup found)
{
	(void)python_raise(py, "socket.gaierror", "%s", lookup_words(found));
	if (py->raised && py->error.kind == PYTHON_ERROR)
		py->error.object->number = found == OUTSIDE_TRY_AGAIN ? -3 : -2;
	return -1;
}

/* Tells the owner and waits as the call would: 0, or -errno; -1 with *raised: the name is none. */
static int reach(struct python *py, struct slice host, unsigned port, bool udp, int64_t limit,
		 bool *raised)
{
	struct process *p = py->process;
	char *name = process_copy_slice(p, host), *url;
	struct outside_place place;
	enum outside_lookup found;
	int error;

	*raised = false;
	python_flush(py);
	if (!*name)
		name = process_copy_text(p, "0.0.0.0");
	found = outside_resolve_now(p, name, &place);
	error = found ? 0 : outside_connect_now(p, &place.address, port, udp);
	url = process_format(p, "%s://%s:%u", udp ? "udp" : "tcp", name, port);
	process_report_download(p, slice_text(url),
				found ? outside_lookup_words[found] : strerror(-error));
	if (found) {
		(void)outside_resolve(p, name, &place);
		*raised = true;
		return raise_lookup(py, found);
	}
	return udp ? 0 : outside_connect(p, &place.address, port, false, limit);
}

/* ("host", port) */
static bool take_address(struct python *py, struct python_value address, struct slice *host,
			 unsigned *port)
{
	if (address.kind == PYTHON_OPAQUE) {
		py->beyond = true;
		return false;
	}
	if (address.kind != PYTHON_TUPLE) {
		(void)python_raise(py, "TypeError",
				   address.kind == PYTHON_LIST
					   ? "connect(): AF_INET address must be tuple, not list"
					   : "connect(): AF_INET address must be tuple, not %s",
				   python_type_name(address));
		return false;
	}
	if (address.list->count < 2 || address.list->items[0].kind != PYTHON_TEXT) {
		(void)python_raise(py, "TypeError", "str, bytes or bytearray expected, not %s",
				   address.list->count ? python_type_name(address.list->items[0])
						       : "tuple");
		return false;
	}
	if (address.list->items[1].kind != PYTHON_INT) {
		(void)python_raise(py, "TypeError",
				   "'%s' object cannot be interpreted as an integer",
				   python_type_name(address.list->items[1]));
		return false;
	}
	if (address.list->items[1].integer < 0 || address.list->items[1].integer > 65535) {
		(void)python_raise(py, "OverflowError", "connect(): port must be 0-65535.");
		return false;
	}
	*host = address.list->items[0].text;
	*port = (unsigned)address.list->items[1].integer;
	return true;
}

static int reach_from(struct python *py, struct python_value self, struct python_value address)
{
	bool udp = python_integer(python_thing_get(py, self, "type")) == SOCK_DGRAM, raised;
	struct slice host;
	unsigned port;
	int error;

	if (!take_address(py, address, &host, &port))
		return -1;
	python_thing_set(py, self, "peer", address);
	error = reach(py, host, port, udp, limit_of(py, self), &raised);
	python_interrupted(py);
	if (!raised && error == -EINPROGRESS)
		(void)python_raise(py, "TimeoutError", "timed out");
	return error;
}

static struct python_value connect_it(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	int error = reach_from(py, self, first_of(arguments));

	if (!python_fails(py) && error < 0)
		(void)python_raise_system(py, error, NULL);
	return python_none();
}

static struct python_value connect_quietly(struct python *py, struct python_value self,
					   struct python_arguments *arguments)
{
	int error = reach_from(py, self, first_of(arguments));

	if (error == -EINPROGRESS) {
		py->raised = false;
		error = -EAGAIN;
	}
	return python_int(-error);
}

static struct python_value set_timeout(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	python_thing_set(py, self, "timeout", first_of(arguments));
	return python_none();
}

static struct python_value number_of(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	return python_int(self.object->number);
}

static struct python_value bind_it(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	struct outside_place place;
	struct slice host;
	unsigned port;

	if (!take_address(py, first_of(arguments), &host, &port))
		return python_none();
	if (port < 1024 && port && py->process->identity.effective_uid != 0)
		return python_raise_system(py, EACCES, NULL);
	if (outside_resolve_now(py->process, "127.0.0.1", &place) == OUTSIDE_FOUND && port &&
	    outside_connect_now(py->process, &place.address, port, false) == 0)
		return python_raise_system(py, EADDRINUSE, NULL);
	return python_none();
}

/* Nobody comes. */
static struct python_value wait_for_ever(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	int64_t limit = limit_of(py, self);

	python_flush(py);
	if (limit >= 0) {
		(void)process_sleep(py->process, limit);
		python_interrupted(py);
		return python_raise(py, "TimeoutError", "timed out");
	}
	while (process_sleep(py->process, 3600 * SECOND))
		process_step(py->process);
	python_interrupted(py);
	return python_none();
}

/* The peer's greeting once, then the end. */
static struct python_value receive(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	struct python_value peer = python_thing_get(py, self, "peer");
	const char *words = "";

	if (peer.kind == PYTHON_TUPLE && peer.list->count == 2)
		words = outside_greeting(py->process, (unsigned)peer.list->items[1].integer);
	python_thing_set(py, self, "peer", python_none());
	return python_bytes(slice_text(words));
}

static struct python_value send_it(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	struct python_value what = first_of(arguments);
	struct python_value to = python_argument(arguments, 1, NULL);
	bool raised;
	struct slice host;
	unsigned port;

	if (what.kind != PYTHON_BYTES && what.kind != PYTHON_OPAQUE)
		return python_raise(py, "TypeError", "a bytes-like object is required, not '%s'",
				    python_type_name(what));
	if (to.kind == PYTHON_TUPLE && take_address(py, to, &host, &port))
		(void)reach(py, host, port, true, -1, &raised);
	return python_int((int64_t)what.text.length);
}

static struct python_value send_all(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	(void)send_it(py, self, arguments);
	return python_none();
}

static struct python_value close_it(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	if (self.object->number > 2)
		(void)process_close(py->process, (int)self.object->number);
	self.object->number = -1;
	return python_none();
}

static struct python_value own_address(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(py->process), &interfaces);
	bool bound = python_thing_get(py, self, "peer").kind == PYTHON_TUPLE;
	char words[ADDRESS_TEXT_MAX] = "0.0.0.0";

	if (bound && count > 1)
		address_text(&interfaces[1].address, words);
	return python_pair(
		py, python_words(process_copy_text(py->process, words)),
		python_int(bound ? 32768 + (int64_t)process_random_number(py->process, 28000) : 0));
}

static struct python_value nothing(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	return python_none();
}

python_method_function *python_network_method(const char *class, const char *name)
{
	static const struct python_method_entry methods[] = {
		{"connect", connect_it},
		{"connect_ex", connect_quietly},
		{"settimeout", set_timeout},
		{"setblocking", nothing},
		{"setsockopt", nothing},
		{"fileno", number_of},
		{"bind", bind_it},
		{"listen", nothing},
		{"accept", wait_for_ever},
		{"recvfrom", wait_for_ever},
		{"recv", receive},
		{"send", send_it},
		{"sendto", send_it},
		{"sendall", send_all},
		{"close", close_it},
		{"shutdown", nothing},
		{"getsockname", own_address},
		{"__exit__", close_it},
	};

	for (size_t i = 0; strcmp(class, "socket.socket") == 0 && i < ARRAY_COUNT(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].run;
	return NULL;
}

/* --- functions of socket --- */

static const struct python_place places_of_lookup[] = {
	{"socket.py", "create_connection", 827, 11, 39, "in getaddrinfo("},
	{"socket.py", "getaddrinfo", 962, 11, 60, "_socket.getaddrinfo("},
	{NULL}};
static const struct python_place places_of_connection[] = {
	{"socket.py", "create_connection", 851, 0, 0, "raise exceptions[0]"},
	{"socket.py", "create_connection", 836, 0, 0, "sock.connect(sa)"},
	{NULL}};
static const struct python_place places_of_info[] = {
	{"socket.py", "getaddrinfo", 962, 11, 60, "_socket.getaddrinfo("}, {NULL}};

static struct python_value create_connection(struct python *py, struct python_arguments *arguments)
{
	struct python_arguments none = {0};
	struct python_value made = make_socket(py, &none);
	int error;

	python_thing_set(py, made, "timeout", python_argument(arguments, 1, "timeout"));
	error = reach_from(py, made, python_argument(arguments, 0, "address"));
	if (py->raised && strcmp(py->error.object->name, "socket.gaierror") == 0)
		py->error_places = places_of_lookup;
	if (!python_fails(py) && error < 0)
		(void)python_raise_system(py, error, NULL);
	if (py->raised && !py->error_places)
		py->error_places = places_of_connection;
	return made;
}

static bool look_up(struct python *py, const struct python_arguments *arguments,
		    struct outside_place *place)
{
	char *name = process_copy_slice(py->process, python_str(py, first_of(arguments)));
	enum outside_lookup found = outside_resolve(py->process, name, place);

	if (found)
		(void)raise_lookup(py, found);
	return !found;
}

static struct python_value host_by_name(struct python *py, struct python_arguments *arguments)
{
	struct outside_place place;

	if (!look_up(py, arguments, &place))
		return python_none();
	return python_words(process_copy_text(py->process, place.text));
}

static struct python_value address_info(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST),
			    row = python_list(py, PYTHON_TUPLE);
	struct outside_place place;

	if (!look_up(py, arguments, &place)) {
		py->error_places = places_of_info;
		return python_none();
	}
	python_append(py, row, python_int(AF_INET));
	python_append(py, row, python_int(SOCK_STREAM));
	python_append(py, row, python_int(6));
	python_append(py, row, python_words(""));
	python_append(py, row,
		      python_pair(py, python_words(process_copy_text(py->process, place.text)),
				  python_argument(arguments, 1, "port")));
	python_append(py, made, row);
	return made;
}

static struct python_value own_name(struct python *py, struct python_arguments *arguments)
{
	return python_words(host_names(process_host(py->process))->node);
}

static struct python_value whole_name(struct python *py, struct python_arguments *arguments)
{
	const struct host_names *names = host_names(process_host(py->process));

	return python_words(
		names->domain && *names->domain
			? process_format(py->process, "%s.%s", names->node, names->domain)
			: names->node);
}

static struct python_value address_bytes(struct python *py, struct python_arguments *arguments)
{
	struct address address;

	if (address_parse(python_str(py, first_of(arguments)), &address) != 0)
		return python_raise(py, "OSError", "illegal IP address string passed to inet_aton");
	return python_bytes(
		slice_text(process_copy_slice(py->process, slice_of(address.bytes, 4))));
}

static struct python_value ignore(struct python *py, struct python_arguments *arguments)
{
	return python_none();
}

/* --- urllib --- */

#define OPENED                                                                                   \
	{"urllib/request.py", "urlopen", 216, 7, 31, "opener.open("},                            \
		{"urllib/request.py", "open", 519, 11, 21, "self._open("},                       \
		{"urllib/request.py", "_open", 536, 9, 51, "self._call_chain(self.handle_open"}, \
	{                                                                                        \
		"urllib/request.py", "_call_chain", 496, 9, 11                                   \
	}
#define SENT                                                                         \
	{"urllib/request.py", "do_open", 1348, 0, 0, "h.request(req.get_method"},    \
		{"http/client.py", "request", 1282, 0, 0, "self._send_request("},    \
		{"http/client.py", "_send_request", 1328, 0, 0, "self.endheaders("}, \
		{"http/client.py", "endheaders", 1277, 0, 0, "self._send_output("},  \
		{"http/client.py", "_send_output", 1037, 0, 0, "self.send(msg)"},    \
	{                                                                            \
		"http/client.py", "send", 975, 0, 0                                  \
	}
#define CONNECTED                                        \
	{                                                \
		"http/client.py", "connect", 941, 12, 24 \
	}
#define CONNECTED_TLS                                                   \
	{"http/client.py", "connect", 1447, 0, 0, "super().connect()"}, \
	{                                                               \
		"http/client.py", "connect", 941, 12, 24                \
	}
#define REFUSED                                                                    \
	{"socket.py", "create_connection", 851, 0, 0, "raise exceptions[0]"},      \
		{"socket.py", "create_connection", 836, 0, 0, "sock.connect(sa)"}, \
	{                                                                          \
		NULL                                                               \
	}
#define UNKNOWN                                                                    \
	{"socket.py", "create_connection", 827, 11, 39, "in getaddrinfo("},        \
		{"socket.py", "getaddrinfo", 962, 11, 60, "_socket.getaddrinfo("}, \
	{                                                                          \
		NULL                                                               \
	}
#define TOLD                                                                 \
	{"urllib/request.py", "do_open", 1351, 0, 0, "raise URLError(err)"}, \
	{                                                                    \
		NULL                                                         \
	}

static const struct python_place opened[] = {
	OPENED,
	{"urllib/request.py", "http_open", 1377, 7, 52, "do_open(http.client.HTTPConnection"},
	TOLD};
static const struct python_place opened_tls[] = {
	OPENED,
	{"urllib/request.py", "https_open", 1391, 7, 46, "do_open(http.client.HTTPSConnection"},
	TOLD};
static const struct python_place retrieved[] = {
	{"urllib/request.py", "urlretrieve", 241, 24, 18, "urlopen(url, data)"},
	OPENED,
	{"urllib/request.py", "http_open", 1377, 7, 52, "do_open(http.client.HTTPConnection"},
	TOLD};
static const struct python_place retrieved_tls[] = {
	{"urllib/request.py", "urlretrieve", 241, 24, 18, "urlopen(url, data)"},
	OPENED,
	{"urllib/request.py", "https_open", 1391, 7, 46, "do_open(http.client.HTTPSConnection"},
	TOLD};
static const struct python_place refused[] = {SENT, CONNECTED, REFUSED};
static const struct python_place refused_tls[] = {SENT, CONNECTED_TLS, REFUSED};
static const struct python_place unknown[] = {SENT, CONNECTED, UNKNOWN};
static const struct python_place unknown_tls[] = {SENT, CONNECTED_TLS, UNKNOWN};
static const struct python_place no_scheme[] = {
	{"urllib/request.py", "urlopen", 216, 7, 31, "opener.open("},
	{"urllib/request.py", "open", 503, 6, 21, "Request(fullurl"},
	{"urllib/request.py", "__init__", 322, 0, 13, "self.full_url = url"},
	{"urllib/request.py", "full_url", 348, 0, 0, "self._parse()"},
	{"urllib/request.py", "_parse", 377, 0, 0, "unknown url type"},
	{NULL}};

static const char *class_of(int error)
{
	return error == ETIMEDOUT      ? "TimeoutError"
	       : error == ECONNREFUSED ? "ConnectionRefusedError"
	       : error == ECONNRESET   ? "ConnectionResetError"
				       : "OSError";
}

/* Never comes back with an answer: raises. */
static struct python_value fetch(struct python *py, struct python_value what, bool retrieves,
				 int64_t limit)
{
	struct process *p = py->process;
	struct outside_place place;
	struct outside_url url;
	enum outside_lookup found;
	struct slice whole = what.kind == PYTHON_OBJECT
				     ? python_thing_get(py, what, "full_url").text
				     : python_str(py, what);
	bool tls;
	int error;
	const char *words;

	outside_url_read(p, process_copy_slice(p, whole), &url);
	if (!*url.scheme) {
		struct slice shown = python_repr(py, python_text(whole));

		return python_raise_in(py, no_scheme, "ValueError",
				       process_format(p, "unknown url type: %.*s",
						      (int)shown.length, (const char *)shown.at));
	}
	python_flush(py);
	tls = strcmp(url.scheme, "https") == 0;
	found = outside_resolve_now(p, url.host, &place);
	if (found != OUTSIDE_FOUND) {
		process_report_download(p, whole, outside_lookup_words[found]);
		(void)outside_resolve(p, url.host, &place);
		words = lookup_words(found);
		(void)python_raise(py, "urllib.error.URLError", "<urlopen error %s>", words);
		py->before_words = process_format(p, "socket.gaierror: %s", words);
	} else {
		unsigned port = url.port ? url.port : tls ? 443 : 80;

		error = outside_connect_now(p, &place.address, port, false);
		process_report_download(p, whole, strerror(error ? -error : ECONNRESET));
		error = outside_connect(p, &place.address, port, false, limit);
		python_interrupted(py);
		if (error == -EINPROGRESS) {
			(void)python_raise(py, "urllib.error.URLError",
					   "<urlopen error timed out>");
			py->before_words = "TimeoutError: timed out";
		} else {
			error = error ? -error : ECONNRESET;
			words = process_format(p, "[Errno %d] %s", error, strerror(error));
			(void)python_raise(py, "urllib.error.URLError", "<urlopen error %s>",
					   words);
			py->before_words = process_format(p, "%s: %s", class_of(error), words);
			if (py->error.kind == PYTHON_ERROR)
				py->error.object->number = error;
		}
	}
	if (strcmp(py->error.object->name, "urllib.error.URLError") != 0)
		return python_none(); /* ^C */
	py->error_places = tls         ? retrieves ? retrieved_tls : opened_tls
			   : retrieves ? retrieved
				       : opened;
	py->before_places = found ? tls ? unknown_tls : unknown : tls ? refused_tls : refused;
	return python_none();
}

static struct python_value open_url(struct python *py, struct python_arguments *arguments)
{
	struct python_value timeout = python_argument(arguments, 2, "timeout");

	return fetch(py, python_argument(arguments, 0, "url"), false,
		     python_is_number(timeout) && python_number(timeout) < 1e6
			     ? (int64_t)(python_number(timeout) * (double)SECOND)
			     : -1);
}

static struct python_value retrieve_url(struct python *py, struct python_arguments *arguments)
{
	return fetch(py, python_argument(arguments, 0, "url"), true, -1);
}

static struct python_value make_request(struct python *py, struct python_arguments *arguments)
{
	struct python_value made = python_thing(py, "urllib.request.Request");
	struct python_value url = python_argument(arguments, 0, "url");

	python_thing_set(py, made, "full_url", python_text(python_str(py, url)));
	return made;
}

static bool is_plain(uint8_t c, bool slashes)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_.-~", c)) || (slashes && c == '/');
}

static struct slice quoted(struct python *py, struct slice text, bool slashes, bool plus)
{
	struct text out = {0};

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.at[i];

		if (is_plain(c, slashes))
			text_add_byte(py->process, &out, c);
		else if (c == ' ' && plus)
			text_add_byte(py->process, &out, '+');
		else
			text_format(py->process, &out, "%%%02X", c);
		if (i % 64 == 0)
			process_step(py->process);
	}
	return text_slice(&out);
}

static struct python_value quote(struct python *py, struct python_arguments *arguments)
{
	return python_text(quoted(py, python_str(py, first_of(arguments)), true, false));
}

static struct python_value quote_plus(struct python *py, struct python_arguments *arguments)
{
	return python_text(quoted(py, python_str(py, first_of(arguments)), false, true));
}

static struct python_value unquote(struct python *py, struct python_arguments *arguments)
{
	struct slice text = python_str(py, first_of(arguments));
	struct text out = {0};
	uint8_t byte;

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '%' && i + 2 < text.length &&
		    slice_unhex(slice_of(text.at + i + 1, 2), &byte, 1) == 1) {
			text_add_byte(py->process, &out, byte);
			i += 2;
		} else {
			text_add_byte(py->process, &out, text.at[i]);
		}
	}
	return python_text(text_slice(&out));
}

static struct python_value encode_pairs(struct python *py, struct python_arguments *arguments)
{
	struct python_value of = first_of(arguments);
	struct text out = {0};

	text_add_words(py->process, &out, "");
	for (size_t i = 0; of.kind == PYTHON_DICT && i + 1 < of.list->count; i += 2) {
		text_add_words(py->process, &out, i ? "&" : "");
		text_add(py->process, &out,
			 quoted(py, python_str(py, of.list->items[i]), false, true));
		text_add_byte(py->process, &out, '=');
		text_add(py->process, &out,
			 quoted(py, python_str(py, of.list->items[i + 1]), false, true));
	}
	return python_text(text_slice(&out));
}

const struct python_entry python_network_functions[] = {
	{"socket.socket", make_socket},           {"socket.create_connection", create_connection},
	{"socket.gethostbyname", host_by_name},   {"socket.getaddrinfo", address_info},
	{"socket.gethostname", own_name},         {"socket.getfqdn", whole_name},
	{"socket.inet_aton", address_bytes},      {"socket.setdefaulttimeout", ignore},
	{"urllib.request.urlopen", open_url},     {"urllib.request.urlretrieve", retrieve_url},
	{"urllib.request.Request", make_request}, {"urllib.parse.quote", quote},
	{"urllib.parse.quote_plus", quote_plus},  {"urllib.parse.unquote", unquote},
	{"urllib.parse.urlencode", encode_pairs}, {0},
};

bool python_network_constant(struct python *py, const char *name, struct python_value *result)
{
	static const struct {
		const char *name;
		int number;
	} numbers[] = {
		{"socket.AF_INET", AF_INET},
		{"socket.AF_INET6", AF_INET6},
		{"socket.AF_UNIX", AF_UNIX},
		{"socket.SOCK_STREAM", SOCK_STREAM},
		{"socket.SOCK_DGRAM", SOCK_DGRAM},
		{"socket.SOCK_RAW", SOCK_RAW},
		{"socket.SOL_SOCKET", SOL_SOCKET},
		{"socket.SO_REUSEADDR", SO_REUSEADDR},
		{"socket.SO_KEEPALIVE", SO_KEEPALIVE},
		{"socket.IPPROTO_TCP", IPPROTO_TCP},
		{"socket.IPPROTO_UDP", IPPROTO_UDP},
		{"socket.IPPROTO_ICMP", IPPROTO_ICMP},
		{"socket.SHUT_RDWR", SHUT_RDWR},
		{"socket.SHUT_WR", SHUT_WR},
		{"subprocess.PIPE", -1},
		{"subprocess.STDOUT", -2},
		{"subprocess.DEVNULL", -3},
	};

	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		if (strcmp(numbers[i].name, name) == 0) {
			*result = python_int(numbers[i].number);
			return true;
		}
	return false;
}
