/* Log; one write() a line, so that lines of several processes never mix. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define LINE_MAX_BYTES 2048

/* The one exception to "no mutable globals": a message must be possible from anywhere. */
static struct {
	char process[32];
	enum log_level level;
	bool with_time;
} sink = {"sundew", LOG_LEVEL_INFO, false};

void log_open(const char *process, enum log_level level, bool with_time)
{
	snprintf(sink.process, sizeof(sink.process), "%s", process);
	sink.level = level;
	sink.with_time = with_time;
}

static void log_line(enum log_level level, const char *format, va_list arguments)
{
	static const char *const words[] = {"error: ", "warning: ", "", "debug: "};
	uint8_t raw_bytes[LINE_MAX_BYTES], line_bytes[2 * LINE_MAX_BYTES];
	struct writer raw = writer_fixed(raw_bytes, sizeof(raw_bytes));
	struct writer line = writer_fixed(line_bytes, sizeof(line_bytes) - 1);
	char time[CLOCK_TEXT_LENGTH + 1];
	int length;

	if (level > sink.level)
		return;
	if (sink.with_time) {
		clock_text(clock_wall(), time);
		writer_format(&line, "%s ", time);
	}
	writer_format(&line, "%s: %s", sink.process, words[level]);
	length = vsnprintf((char *)raw.at, raw.capacity, format, arguments);
	raw.length = length < 0                      ? 0
		     : (size_t)length < raw.capacity ? (size_t)length
						     : raw.capacity - 1;
	writer_printable(&line, writer_slice(&raw));
	line.at[line.length++] = '\n';
	if (write(STDERR_FILENO, line.at, line.length) < 0)
		return; /* nobody listens: there is no other place to say so */
}

#define DEFINE_LOG(name, level)                     \
	void name(const char *format, ...)          \
	{                                           \
		va_list arguments;                  \
                                                    \
		va_start(arguments, format);        \
		log_line(level, format, arguments); \
		va_end(arguments);                  \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

void fatal(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line(LOG_LEVEL_ERROR, format, arguments);
	va_end(arguments);
	exit(1);
}
