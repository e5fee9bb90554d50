/* Replies: RESP2 (redis.io/docs/reference/protocol-spec) and, after HELLO 3, RESP3. */
#include "decoy/protocols/redis/redis.h"

void redis_status(struct call *call, const char *text)
{
	writer_format(call->out, "+%s\r\n", text);
}

void redis_error(struct call *call, const char *format, ...)
{
	struct writer *out = call->out;
	size_t start;
	va_list arguments;

	writer_u8(out, '-');
	start = out->length;
	va_start(arguments, format);
	writer_vformat(out, format, arguments);
	va_end(arguments);
	for (size_t i = start; i < out->length; i++) {
		if (out->at[i] == '\r' || out->at[i] == '\n')
			out->at[i] = ' ';
	}
	writer_text(out, "\r\n");
	call->redis->errors++;
}

void redis_number(struct call *call, int64_t number)
{
	writer_format(call->out, ":%lld\r\n", (long long)number);
}

void redis_bulk(struct call *call, struct slice bytes)
{
	writer_format(call->out, "$%zu\r\n", bytes.length);
	writer_bytes(call->out, bytes);
	writer_text(call->out, "\r\n");
}

void redis_words(struct call *call, const char *text)
{
	redis_bulk(call, slice_text(text));
}

void redis_null(struct call *call)
{
	writer_text(call->out, call->redis->protocol == 3 ? "_\r\n" : "$-1\r\n");
}

void redis_null_array(struct call *call)
{
	writer_text(call->out, call->redis->protocol == 3 ? "_\r\n" : "*-1\r\n");
}

static void header(struct call *call, char three, size_t count, size_t count_in_two)
{
	if (call->redis->protocol == 3)
		writer_format(call->out, "%c%zu\r\n", three, count);
	else
		writer_format(call->out, "*%zu\r\n", count_in_two);
}

void redis_array(struct call *call, size_t count)
{
	header(call, '*', count, count);
}

void redis_map(struct call *call, size_t pairs)
{
	header(call, '%', pairs, pairs * 2);
}

void redis_set_of(struct call *call, size_t count)
{
	header(call, '~', count, count);
}

void redis_push_of(struct call *call, size_t count)
{
	header(call, '>', count, count);
}

void redis_verbatim(struct call *call, struct slice text)
{
	if (call->redis->protocol != 3) {
		redis_bulk(call, text);
		return;
	}
	writer_format(call->out, "=%zu\r\ntxt:", text.length + 4);
	writer_bytes(call->out, text);
	writer_text(call->out, "\r\n");
}

void redis_syntax_error(struct call *call)
{
	redis_error(call, "ERR syntax error");
}

void redis_wrong_type(struct call *call)
{
	redis_error(call, "WRONGTYPE Operation against a key holding the wrong kind of value");
}

void redis_answer_ok(struct call *call)
{
	redis_status(call, "OK");
}

void redis_answer_zero(struct call *call)
{
	redis_number(call, 0);
}

void redis_answer_empty(struct call *call)
{
	redis_array(call, 0);
}

void redis_answer_null(struct call *call)
{
	redis_null(call);
}
