/* Option negotiation: RFC 1143's states, so that nothing loops, in the order in which inetutils'
 * telnetd 2.4 and BusyBox's telnetd ask.
 *
 * Every request gets at most one answer of the same length, and none when it changes nothing.
 */
#include "decoy/protocols/telnet/telnet.h"

#define SEPARATE_SEGMENT (30 * MILLISECOND)

enum state { NO, YES, WANTS_YES, WANTS_NO };

/* Options that telnetd knows: whether it does them itself, and lets the client do them. Their place
 * here is their place in telnet.ours, telnet.theirs and telnet.replied. */
static const struct {
	uint8_t code;
	bool we_may, they_may;
} known[] = {
	{TELNET_BINARY, true, true},
	{TELNET_ECHO, true, false},
	{TELNET_SGA, true, false},
	{TELNET_STATUS, true, false},
	{TELNET_TM, true, false},
	{TELNET_TTYPE, false, true},
	{TELNET_NAWS, false, true},
	{TELNET_TSPEED, false, true},
	{TELNET_LFLOW, false, true},
	{TELNET_LINEMODE, false, true},
	{TELNET_XDISPLOC, false, true},
	{TELNET_OLD_ENVIRON, false, true},
	{TELNET_AUTHENTICATION, false, false},
	{TELNET_ENCRYPT, false, false},
	{TELNET_NEW_ENVIRON, false, true},
};
_Static_assert(ARRAY_COUNT(known) <= 16, "two bits an option in 32");

struct request {
	uint8_t verb, option;
};

static const struct request inetutils_first[] = {
	{TELNET_WILL, TELNET_AUTHENTICATION},
	{TELNET_WILL, TELNET_ENCRYPT},
	{TELNET_DO, TELNET_TTYPE},
	{TELNET_DO, TELNET_TSPEED},
	{TELNET_DO, TELNET_XDISPLOC},
	{TELNET_DO, TELNET_NEW_ENVIRON},
	{TELNET_DO, TELNET_OLD_ENVIRON},
};
static const struct request inetutils_second[] = {
	{TELNET_WILL, TELNET_SGA}, {TELNET_DO, TELNET_ECHO},     {TELNET_DO, TELNET_LINEMODE},
	{TELNET_DO, TELNET_NAWS},  {TELNET_WILL, TELNET_STATUS}, {TELNET_DO, TELNET_LFLOW},
};
static const struct request busybox_first[] = {
	{TELNET_DO, TELNET_ECHO},
	{TELNET_DO, TELNET_NAWS},
	{TELNET_WILL, TELNET_ECHO},
	{TELNET_WILL, TELNET_SGA},
};
/* Whose values are asked for, in this order. */
static const uint8_t fetched[] = {TELNET_TSPEED, TELNET_XDISPLOC, TELNET_NEW_ENVIRON,
				  TELNET_OLD_ENVIRON, TELNET_TTYPE};

/* Place in the table, or -1. */
static int place_of(uint8_t option)
{
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		if (known[i].code == option)
			return (int)i;
	}
	return -1;
}

static enum state get(uint32_t states, int place)
{
	return (enum state)(states >> (2 * place) & 3);
}

static void set(uint32_t *states, int place, enum state state)
{
	*states = (*states & ~((uint32_t)3 << (2 * place))) | (uint32_t)state << (2 * place);
}

static bool they_do(const struct telnet *telnet, uint8_t option)
{
	return get(telnet->theirs, place_of(option)) == YES;
}

bool telnet_echoes(const struct telnet *telnet)
{
	enum state state = get(telnet->ours, place_of(TELNET_ECHO));

	return state == YES || state == WANTS_YES;
}

static void say(struct session *session, uint8_t verb, uint8_t option)
{
	uint8_t bytes[3] = {TELNET_IAC, verb, option};

	session_write(session, slice_of(bytes, sizeof(bytes)));
}

/* Asks, unless it is so already. */
static void ask(struct session *session, struct telnet *telnet, struct request request)
{
	bool about_us = request.verb == TELNET_WILL || request.verb == TELNET_WONT;
	bool wanted = request.verb == TELNET_WILL || request.verb == TELNET_DO;
	uint32_t *states = about_us ? &telnet->ours : &telnet->theirs;
	int place = place_of(request.option);
	enum state state = get(*states, place);

	if (wanted ? state == YES || state == WANTS_YES : state == NO || state == WANTS_NO)
		return;
	set(states, place, wanted ? WANTS_YES : WANTS_NO);
	say(session, request.verb, request.option);
}

static void ask_all(struct session *session, struct telnet *telnet, const struct request *requests,
		    size_t count)
{
	for (size_t i = 0; i < count; i++)
		ask(session, telnet, requests[i]);
}

void telnet_greet(struct session *session, struct telnet *telnet)
{
	if (telnet->flags & TELNET_BUSYBOX)
		ask_all(session, telnet, busybox_first, ARRAY_COUNT(busybox_first));
	else
		ask_all(session, telnet, inetutils_first, ARRAY_COUNT(inetutils_first));
}

/* The client offers line mode: inetutils takes it, with a mode, and drops it before the prompt. */
static void take_up_line_mode(struct session *session, struct telnet *telnet, bool asked)
{
	uint8_t edit_and_trap[] = {TELNET_IAC,     TELNET_SB,  TELNET_LINEMODE, 1,
				   asked ? 3 : 16, TELNET_IAC, TELNET_SE,       0};

	telnet->flags |= TELNET_LINED;
	session_write(session, slice_of(edit_and_trap, sizeof(edit_and_trap)));
}

/* RFC 1143, section 7. `yes` and `no` are how we put our answer. */
static void hear(struct session *session, uint32_t *states, int place, bool wanted, bool allowed,
		 uint8_t yes, uint8_t no)
{
	uint8_t option = known[place].code;

	switch (get(*states, place)) {
	case NO:
		if (!wanted)
			break;
		if (allowed)
			set(states, place, YES);
		say(session, allowed ? yes : no, option);
		break;
	case YES:
		if (wanted)
			break;
		set(states, place, NO);
		say(session, no, option);
		break;
	case WANTS_YES:
		set(states, place, wanted ? YES : NO);
		break;
	case WANTS_NO:
		set(states, place, NO);
		break;
	}
}

static void hear_will(struct session *session, struct telnet *telnet, int place, bool wanted)
{
	uint8_t option = known[place].code;
	enum state before = get(telnet->theirs, place);
	bool allowed =
		known[place].they_may && !(telnet->flags & TELNET_BUSYBOX && option != TELNET_NAWS);

	if (option == TELNET_LINEMODE && telnet->stage >= TELNET_USER)
		allowed = false;
	if (option == TELNET_LINEMODE && telnet->flags & TELNET_LINED)
		allowed = false;
	hear(session, &telnet->theirs, place, wanted, allowed, TELNET_DO, TELNET_DONT);
	if (option == TELNET_LINEMODE && wanted && get(telnet->theirs, place) == YES &&
	    before != YES)
		take_up_line_mode(session, telnet, before == WANTS_YES);
}

void telnet_negotiate(struct session *session, struct telnet *telnet, uint8_t verb, uint8_t option)
{
	int place = place_of(option);

	if (place < 0) {
		if (verb == TELNET_WILL)
			say(session, TELNET_DONT, option);
		else if (verb == TELNET_DO)
			say(session, TELNET_WONT, option);
		return;
	}
	if (option == TELNET_TM && (verb == TELNET_WILL || verb == TELNET_WONT))
		return; /* the answer to our mark; answering it would never end */
	if (verb == TELNET_DO || verb == TELNET_DONT)
		hear(session, &telnet->ours, place, verb == TELNET_DO, known[place].we_may,
		     TELNET_WILL, TELNET_WONT);
	else
		hear_will(session, telnet, place, verb == TELNET_WILL);
	if (option == TELNET_TM)
		set(&telnet->ours, place, NO); /* a mark in the stream, not a state (RFC 860) */
	telnet->replied |= (uint16_t)(1u << place);
}

void telnet_subnegotiate(struct session *session, struct telnet *telnet, uint8_t option,
			 struct slice body)
{
	int place = place_of(option);

	telnet_client_learn(session, telnet, option, body);
	if (place >= 0 && telnet->stage == TELNET_FETCHING)
		telnet->replied |= (uint16_t)(1u << place);
}

static bool has_replied(const struct telnet *telnet, uint8_t option)
{
	return telnet->replied >> place_of(option) & 1;
}

static bool all_replied(const struct telnet *telnet, const struct request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!has_replied(telnet, requests[i].option))
			return false;
	}
	return true;
}

static void fetch(struct session *session, struct telnet *telnet)
{
	telnet->stage = TELNET_FETCHING;
	for (size_t i = 0; i < ARRAY_COUNT(fetched); i++) {
		uint8_t send[] = {TELNET_IAC, TELNET_SB, fetched[i], 1, TELNET_IAC, TELNET_SE};

		if (!they_do(telnet, fetched[i]))
			continue;
		telnet->replied &= (uint16_t) ~(1u << place_of(fetched[i]));
		session_write(session, slice_of(send, sizeof(send)));
	}
}

static bool all_fetched(const struct telnet *telnet)
{
	for (size_t i = 0; i < ARRAY_COUNT(fetched); i++) {
		if (they_do(telnet, fetched[i]) && !has_replied(telnet, fetched[i]))
			return false;
	}
	return true;
}

bool telnet_advance(struct session *session, struct telnet *telnet)
{
	if (telnet->stage == TELNET_ASKING &&
	    all_replied(telnet, inetutils_first, ARRAY_COUNT(inetutils_first)))
		fetch(session, telnet);
	if (telnet->stage == TELNET_FETCHING && all_fetched(telnet)) {
		telnet->stage = TELNET_SETTLING;
		/* In a segment of its own: hydra does not read past the line mode's subnegotiation.
		 */
		if (telnet->flags & TELNET_LINED)
			session_delay(session, SEPARATE_SEGMENT);
		ask_all(session, telnet, inetutils_second, ARRAY_COUNT(inetutils_second));
	}
	return telnet->stage == TELNET_SETTLING &&
	       all_replied(telnet, inetutils_second, ARRAY_COUNT(inetutils_second));
}

void telnet_settle(struct session *session, struct telnet *telnet)
{
	static const uint8_t flow_by_any_key[] = {
		TELNET_IAC, TELNET_SB, TELNET_LFLOW, 3, TELNET_IAC, TELNET_SE, 0};

	if (they_do(telnet, TELNET_LFLOW))
		session_write(session, slice_of(flow_by_any_key, sizeof(flow_by_any_key)));
	ask(session, telnet, (struct request){TELNET_DONT, TELNET_ECHO});
	ask(session, telnet, (struct request){TELNET_WILL, TELNET_ECHO});
	if (!(telnet->flags & TELNET_LINED))
		say(session, TELNET_DO, TELNET_TM);
	ask(session, telnet, (struct request){TELNET_DO, TELNET_BINARY});
	ask(session, telnet, (struct request){TELNET_DONT, TELNET_LINEMODE});
}
