/* The network as programs of the fake machine meet it; see outside.h. */
#include "decoy/machine/commands/outside.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "decoy/machine/commands/packages.h"
#include "decoy/machine/host.h"
#include "decoy/persona.h"

#define SECOND         ((int64_t)1000000)
#define HOSTS_FILE_MAX ((size_t)64 * 1024)
/* resolv.conf(5): "timeout" and "attempts". */
#define LOOKUP_SECONDS  5
#define LOOKUP_ATTEMPTS 2
/* SYNs that the kernel sends again (net.ipv4.tcp_syn_retries): 1 + 2 + 4 + 8 seconds. */
#define SYN_RETRIES 3
#define NAME_LENGTH 253 /* of a name in the DNS */

const char *const outside_lookup_words[] = {
	[OUTSIDE_FOUND] = "Success",
	[OUTSIDE_TRY_AGAIN] = "Temporary failure in name resolution",
	[OUTSIDE_UNKNOWN] = "Name or service not known",
};

/* --- names --- */

static void set_place(struct outside_place *place, const struct address *address, bool literal)
{
	place->address = *address;
	place->literal = literal;
	address_text(address, place->text);
}

static bool in_hosts_file(struct process *p, const char *name, struct outside_place *place)
{
	struct text file = {0};
	struct slice rest, line;
	bool found = false;
	if (process_read_file(p, "/etc/hosts", HOSTS_FILE_MAX, &file) != 0)
		return false;
	rest = text_slice(&file);
	while (!found && slice_next(&rest, '\n', &line)) {
		struct address address = {.family = 0};
		line = slice_first(line, slice_find_byte(line, '#'));
		for (size_t at = 0, field = 0; at < line.length; field++) {
			size_t start;
			while (at < line.length && (line.at[at] == ' ' || line.at[at] == '\t'))
				at++;
			start = at;
			while (at < line.length && line.at[at] != ' ' && line.at[at] != '\t')
				at++;
			struct slice word = slice_of(line.at + start, at - start);
			if (word.length == 0)
				break;
			if (field == 0 && address_parse(word, &address) != 0)
				break;
			if (field > 0 && slice_is_nocase(word, name)) {
				set_place(place, &address, false);
				found = true;
				break;
			}
		}
		process_step(p);
	}
	process_give(p, file.data);
	return found;
}

static bool is_own_name(struct process *p, const char *name)
{
	const struct host_names *names = host_names(process_host(p));
	size_t length = strlen(names->node);
	if (strncasecmp(name, names->node, length) != 0)
		return false;
	if (name[length] == '\0')
		return true;
	return name[length] == '.' && names->domain &&
	       strcasecmp(name + length + 1, names->domain) == 0;
}

static bool could_be_name(const char *name)
{
	if (*name == '\0' || strlen(name) > NAME_LENGTH || *name == '-' || *name == '.')
		return false;
	for (const char *at = name; *at; at++) {
		bool word = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
			    (*at >= '0' && *at <= '9') || *at == '-' || *at == '_';
		if (!word && (*at != '.' || at[1] == '.'))
			return false;
	}
	return true;
}

enum outside_lookup outside_resolve_now(struct process *p, const char *name,
					struct outside_place *place)
{
	struct address address;
	struct in_addr four;
	*place = (struct outside_place){.literal = false};
	if (address_parse(slice_text(name), &address) == 0) {
		set_place(place, &address, true);
		return OUTSIDE_FOUND;
	}
	if (inet_aton(name, &four) && !strchr(name, ' ')) {
		address = address_v4(ntohl(four.s_addr));
		set_place(place, &address, true);
		return OUTSIDE_FOUND;
	}
	if (in_hosts_file(p, name, place))
		return OUTSIDE_FOUND;
	if (strcasecmp(name, "localhost") == 0) {
		address = address_v4(0x7f000001);
		set_place(place, &address, false);
		return OUTSIDE_FOUND;
	}
	if (is_own_name(p, name)) {
		address = address_v4(0x7f000101);
		set_place(place, &address, false);
		return OUTSIDE_FOUND;
	}
	return could_be_name(name) ? OUTSIDE_TRY_AGAIN : OUTSIDE_UNKNOWN;
}

enum outside_lookup outside_resolve(struct process *p, const char *name,
				    struct outside_place *place)
{
	enum outside_lookup answer = outside_resolve_now(p, name, place);
	if (answer == OUTSIDE_TRY_AGAIN) {
		int64_t wait = LOOKUP_ATTEMPTS * LOOKUP_SECONDS * SECOND;
		process_sleep(p, wait + 2000 + (int64_t)process_random_number(p, 14000));
	}
	return answer;
}

/* --- addresses --- */

enum place_kind { PLACE_OWN, PLACE_GATEWAY, PLACE_NEIGHBOUR, PLACE_OUTSIDE, PLACE_NOWHERE };

static bool is_in(const struct address *address, const struct address *own, unsigned prefix)
{
	if (own->family == 0 || own->family != address->family)
		return false;
	struct address a = address_network(address, prefix), b = address_network(own, prefix);
	return address_equal(&a, &b);
}

static enum place_kind kind_of(struct process *p, const struct address *address)
{
	const struct host_interface *interfaces;
	size_t count = host_interfaces(process_host(p), &interfaces);
	struct address gateway = host_gateway(process_host(p));
	bool six = false;
	if (address_is_loopback(address) || (address->family == 4 && address->bytes[0] == 0))
		return PLACE_OWN;
	for (size_t i = 0; i < count; i++) {
		if (address_equal(address, &interfaces[i].address) ||
		    address_equal(address, &interfaces[i].address6))
			return PLACE_OWN;
		six = six || (interfaces[i].address6.family == 6 && interfaces[i].index > 1 &&
			      interfaces[i].address6.bytes[0] != 0xfe);
	}
	if (address_equal(address, &gateway))
		return PLACE_GATEWAY;
	for (size_t i = 0; i < count; i++)
		if (is_in(address, &interfaces[i].address, interfaces[i].prefix) ||
		    is_in(address, &interfaces[i].address6, interfaces[i].prefix6))
			return PLACE_NEIGHBOUR;
	return address->family == 6 && !six ? PLACE_NOWHERE : PLACE_OUTSIDE;
}

static bool somebody_listens(struct process *p, const struct address *address, unsigned port,
			     bool udp)
{
	const struct host_listener *listeners;
	size_t count = host_listeners(process_host(p), &listeners);
	static const struct address none;
	for (size_t i = 0; i < count; i++) {
		const struct host_listener *at = &listeners[i];
		if (at->port != port || at->udp != udp)
			continue;
		bool any = at->address.family == 0 ||
			   memcmp(at->address.bytes, none.bytes, sizeof(none.bytes)) == 0;
		if (any || address_equal(&at->address, address))
			return true;
	}
	return false;
}

int outside_connect_now(struct process *p, const struct address *address, unsigned port, bool udp)
{
	switch (kind_of(p, address)) {
	case PLACE_OWN:
		return somebody_listens(p, address, port, udp) ? 0 : -ECONNREFUSED;
	case PLACE_GATEWAY:
		return -ECONNREFUSED;
	case PLACE_NEIGHBOUR:
		return -EHOSTUNREACH;
	case PLACE_NOWHERE:
		return -ENETUNREACH;
	default:
		return -ETIMEDOUT;
	}
}

int outside_connect(struct process *p, const struct address *address, unsigned port, bool udp,
		    int64_t limit)
{
	int result = outside_connect_now(p, address, port, udp);
	int64_t wait = 0, jitter = (int64_t)process_random_number(p, 30000);
	if (result == -ETIMEDOUT) {
		for (unsigned i = 0; i <= SYN_RETRIES; i++)
			wait += SECOND << i;
		wait += 200000 + jitter * 8;
	} else if (result == -EHOSTUNREACH) { /* nobody answers ARP */
		wait = 3 * SECOND + 50000 + jitter;
	} else if (kind_of(p, address) == PLACE_GATEWAY) {
		wait = 300 + jitter / 30;
	}
	if (limit >= 0 && wait > limit) {
		process_sleep(p, limit + 300 + jitter / 20);
		return -EINPROGRESS;
	}
	if (wait)
		process_sleep(p, wait);
	return result;
}

const char *outside_greeting(struct process *p, unsigned port)
{
	const struct persona *persona = host_persona(process_host(p));
	const char *version;
	switch (port) {
	case 22:
		version = packages_version(p, "openssh-server", "1:9.2p1-2+deb12u10");
		version += strncmp(version, "1:", 2) == 0 ? 2 : 0;
		return process_format(p, "SSH-2.0-OpenSSH_%.*s Debian%s\r\n",
				      (int)strcspn(version, "-"), version,
				      version + strcspn(version, "-"));
	case 21:
		return process_format(p, "220 %s\r\n",
				      persona_text(persona, "ftp.banner", "(vsFTPd 3.0.3)"));
	default:
		return "";
	}
}

int64_t outside_echo(struct process *p, const struct address *address)
{
	switch (kind_of(p, address)) {
	case PLACE_OWN:
		return 18 + (int64_t)process_random_number(p, 40);
	case PLACE_GATEWAY:
		return 190 + (int64_t)process_random_number(p, 180) +
		       (process_random_number(p, 12) == 0 ? (int64_t)process_random_number(p, 900)
							  : 0);
	default:
		return -1;
	}
}

void outside_local_time(struct process *p, int64_t moment, struct tm *broken_down)
{
	time_t seconds = (time_t)(moment / SECOND);
	if (!gmtime_r(&seconds, broken_down))
		*broken_down = (struct tm){.tm_mday = 1, .tm_year = 70};
}

/* --- URLs --- */

void outside_url_read(struct process *p, const char *text, struct outside_url *url)
{
	const char *mark = strstr(text, "://");
	size_t scheme = mark ? (size_t)(mark - text) : 0;
	for (size_t i = 0; i < scheme; i++)
		if (!((text[i] | 32) >= 'a' && (text[i] | 32) <= 'z') &&
		    !(i > 0 && ((text[i] >= '0' && text[i] <= '9') || text[i] == '+')))
			scheme = 0;
	*url = (struct outside_url){.scheme = process_copy_slice(p, slice_of(text, scheme))};
	for (char *at = url->scheme; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at + 32);
	const char *rest = scheme ? mark + 3 : text;
	size_t authority = strcspn(rest, "/?#");
	struct slice place = slice_of(rest, authority);
	const char *sign = memrchr(rest, '@', authority);
	url->user = url->password = (char *)"";
	if (sign) {
		struct slice who = slice_of(rest, (size_t)(sign - rest));
		size_t colon = slice_find_byte(who, ':');
		url->user = process_copy_slice(p, slice_first(who, colon));
		if (colon != SIZE_MAX)
			url->password = process_copy_slice(p, slice_from(who, colon + 1));
		place = slice_from(place, who.length + 1);
	}
	size_t colon = SIZE_MAX;
	if (place.length && place.at[0] == '[') {
		size_t end = slice_find_byte(place, ']');
		if (end != SIZE_MAX) {
			url->host = process_copy_slice(p, slice_of(place.at + 1, end - 1));
			struct slice after = slice_from(place, end + 1);
			colon = after.length && after.at[0] == ':' ? end + 1 : SIZE_MAX;
		}
	} else {
		colon = slice_find_byte(place, ':');
	}
	if (!url->host)
		url->host = process_copy_slice(p, slice_first(place, colon));
	if (colon != SIZE_MAX) {
		struct slice digits = slice_from(place, colon + 1);
		int64_t port = 0;
		if (digits.length && slice_number(digits, 1, 65535, &port) != 0)
			url->bad_port = true;
		url->port = (unsigned)port;
	}
	const char *path = rest + authority;
	size_t length = strcspn(path, "#");
	url->path = process_format(p, "%s%.*s", *path == '/' ? "" : "/", (int)length, path);
}

/* --- ssh's words --- */

void outside_ssh(struct process *p, const char *target, const char *port, const char *url,
		 int64_t limit)
{
	const char *at = strrchr(target, '@');
	const char *name = at ? at + 1 : target;
	struct outside_place place;
	struct text words = {0};
	size_t length = strlen(name);
	if (length > 1 && name[0] == '[' && name[length - 1] == ']')
		name = process_copy_slice(p, slice_of(name + 1, length - 2));
	unsigned number = port ? (unsigned)strtoul(port, NULL, 10) & 0xffff : 22;
	enum outside_lookup found = outside_resolve_now(p, name, &place);
	int error = 0;
	if (found != OUTSIDE_FOUND) {
		text_format(p, &words, "ssh: Could not resolve hostname %s: %s", name,
			    outside_lookup_words[found]);
	} else {
		error = outside_connect_now(p, &place.address, number, false);
		if (error)
			text_format(p, &words, "ssh: connect to host %s port %u: %s", name, number,
				    strerror(-error));
		else /* the host itself: as if its daemon had too many who are not logged in */
			text_format(p, &words,
				    "kex_exchange_identification: read: Connection reset by "
				    "peer\r\nConnection reset by %s port %u",
				    place.text, number);
	}
	if (url)
		process_report_download(p, slice_text(url), words.data);
	if (found != OUTSIDE_FOUND)
		(void)outside_resolve(p, name, &place);
	else if (error)
		(void)outside_connect(p, &place.address, number, false, limit);
	else
		process_sleep(p, 40000 + (int64_t)process_random_number(p, 30000));
	process_error(p, "%s\r\n", words.data);
}

/* --- options and quotes --- */

/* Of OpenSSH's programs only scp names itself here. */
static void option_error(struct process *p, const char *name, const char *what, char letter)
{
	bool named = strcmp(name, "scp") == 0;
	process_error(p, "%s%s%s -- %c\r\n", named ? name : "", named ? ": " : "", what, letter);
}

int outside_option(struct process *p, struct option_state *state, int argc, char **argv,
		   const char *letters)
{
	if (!state->started) {
		state->started = true;
		state->index = 1;
	}
	state->argument = NULL;
	if (!state->at) {
		if (state->index >= argc || argv[state->index][0] != '-' ||
		    argv[state->index][1] == '\0')
			return -1;
		if (strcmp(argv[state->index], "--") == 0) {
			state->index++;
			return -1;
		}
		state->at = argv[state->index++] + 1;
	}
	char letter = *state->at++;
	if (*state->at == '\0')
		state->at = NULL;
	const char *found = letter == ':' ? NULL : strchr(letters, letter);
	if (!found) {
		option_error(p, argv[0], "unknown option", letter);
		return '?';
	}
	if (found[1] != ':')
		return (unsigned char)letter;
	if (state->at) {
		state->argument = state->at;
		state->at = NULL;
	} else if (state->index < argc) {
		state->argument = argv[state->index++];
	} else {
		option_error(p, argv[0], "option requires an argument", letter);
		return '?';
	}
	return (unsigned char)letter;
}

const char *outside_quote(struct process *p, const char *text)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *locale = NULL;
	for (size_t i = 0; i < ARRAY_COUNT(names) && !(locale && *locale); i++)
		locale = process_environment(p, names[i]);
	if (locale && (strcasestr(locale, "UTF-8") || strcasestr(locale, "utf8")))
		return process_format(p, "\xe2\x80\x98%s\xe2\x80\x99", text);
	return process_format(p, "'%s'", text);
}
