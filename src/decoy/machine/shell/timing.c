/* Time as the shell tells it: `time`, `times`, and a clock that goes on while programs pretend to
 * work. */
#include <ctype.h>

#include "decoy/machine/shell/state.h"

int timing_wait(struct shell *shell, int pid, int flags, int *status)
{
	uint64_t before = shell->process->cpu;
	int result = process_wait(shell->process, pid, flags, status);

	shell->children_cpu += shell->process->cpu - before;
	return result;
}

void timing_pace(struct shell *shell, uint64_t allowed)
{
	uint64_t spent = shell->process->cpu - shell->paced_cpu;
	int64_t now, ahead;

	if (spent < allowed)
		return;
	now = process_now(shell->process);
	ahead = (int64_t)spent - (now - shell->paced_at);
	shell->paced_cpu = shell->process->cpu;
	shell->paced_at = now;
	if (ahead <= 0)
		return;
	if (ahead > 1000000)
		ahead = 1000000;
	(void)process_sleep(shell->process, ahead);
	shell->paced_at += ahead;
}

struct timing timing_now(struct shell *shell)
{
	uint64_t children = shell->children_cpu, own = shell->process->cpu - children;

	return (struct timing){
		.real = process_now(shell->process),
		.system = (int64_t)(own / 5),
		.user = (int64_t)(own - own / 5),
		.children_system = (int64_t)(children * 2 / 5),
		.children_user = (int64_t)(children - children * 2 / 5),
	};
}

/* bash rounds to milliseconds, then cuts off. */
static void put_time(struct shell *shell, struct text *out, int64_t microseconds, int digits,
		     bool minutes)
{
	static const int scales[] = {1000, 100, 10, 1};
	long long whole = (microseconds + 500) / 1000, seconds = whole / 1000;

	if (minutes) {
		text_format(shell->process, out, "%lldm", seconds / 60);
		seconds %= 60;
	}
	text_format(shell->process, out, "%lld", seconds);
	if (digits)
		text_format(shell->process, out, ".%0*lld", digits, whole % 1000 / scales[digits]);
	if (minutes)
		text_add_byte(shell->process, out, 's');
}

/* One %[digits][l]LETTER, behind the "%"; NULL: told. */
static const char *put_part(struct shell *shell, struct text *out, const char *at,
			    const struct timing *spent)
{
	int digits = 3;
	bool minutes = false;

	if (*at == 'P') {
		int64_t share =
			spent->real ? (spent->user + spent->system) * 10000 / spent->real : 0;

		if (share > 10000)
			share = 10000;
		text_format(shell->process, out, "%lld.%02lld", (long long)share / 100,
			    (long long)share % 100);
		return at + 1;
	}
	if (isdigit((uint8_t)*at)) {
		digits = *at < '3' ? *at - '0' : 3;
		at++;
	}
	if (*at == 'l') {
		minutes = true;
		at++;
	}
	if (!*at || !strchr("RUS", *at)) {
		message_say(shell, "TIMEFORMAT: `%c': invalid format character", *at);
		return NULL;
	}
	put_time(shell, out,
		 *at == 'R'   ? spent->real
		 : *at == 'U' ? spent->user
			      : spent->system,
		 digits, minutes);
	return at + 1;
}

void timing_tell(struct shell *shell, bool posix, const struct timing *since)
{
	const char *at = posix ? "real %2R\nuser %2U\nsys %2S" : variables_get(shell, "TIMEFORMAT");
	struct timing spent;
	struct text out = {0};

	timing_pace(shell, 0);
	spent = timing_now(shell);
	spent.real -= since->real;
	spent.user += spent.children_user - since->user - since->children_user;
	spent.system += spent.children_system - since->system - since->children_system;
	if (!at)
		at = "\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS";
	if (!*at)
		return;
	while (at && *at) {
		if (*at != '%' || !at[1]) {
			text_add_byte(shell->process, &out, (uint8_t)*at++);
		} else if (at[1] == '%') {
			text_add_byte(shell->process, &out, '%');
			at += 2;
		} else {
			at = put_part(shell, &out, at + 1, &spent);
		}
	}
	if (at)
		message_plain(shell, "%s\n", out.data);
	process_give(shell->process, out.data);
}

int builtin_times(struct shell *shell, int argc, char **argv)
{
	struct timing now;
	int64_t all[4];

	timing_pace(shell, 0);
	now = timing_now(shell);
	all[0] = now.user;
	all[1] = now.system;
	all[2] = now.children_user;
	all[3] = now.children_system;
	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		long long seconds = all[i] / 1000000, fraction = all[i] % 1000000;

		if (shell_has(shell, SHELL_DASH))
			output_format(shell, "%lldm%lld.%06llds", seconds / 60, seconds % 60,
				      fraction);
		else
			output_format(shell, "%lldm%lld.%03llds", seconds / 60, seconds % 60,
				      fraction / 1000);
		output_text(shell, i % 2 ? "\n" : " ");
	}
	return 0;
}
