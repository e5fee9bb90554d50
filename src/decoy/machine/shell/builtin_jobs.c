/* jobs, fg, bg, wait, kill, disown, suspend. */
#include <ctype.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "decoy/machine/shell/state.h"

static struct job *find(struct shell *shell, const char *spec)
{
	bool ambiguous;
	struct job *job = jobs_find(shell, spec, &ambiguous);

	if (job && !ambiguous)
		return job;
	if (ambiguous)
		message_builtin(shell, "%s: ambiguous job spec", spec);
	else if (shell_has(shell, SHELL_BASH))
		message_builtin(shell, "%s: no such job", spec ? spec : "current");
	else if (!spec)
		message_builtin(shell, "No current job");
	else if (shell_has(shell, SHELL_DASH))
		message_builtin(shell, "No such job: %s", spec);
	else
		message_builtin(shell, "%s: no such job", spec);
	return NULL;
}

int builtin_jobs(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	char form = 0;
	bool running = false, stopped = false;
	int letter, status = 0;
	struct job *job, *next;

	while ((letter = builtin_option(shell, &options, argc, argv,
					shell_has(shell, SHELL_BASH) ? "lpnxrs" : "lp")) != -1) {
		if (letter == '?')
			return 2;
		if (letter == 'l' || letter == 'p')
			form = (char)letter;
		running |= letter == 'r';
		stopped |= letter == 's';
	}
	jobs_check(shell, false);
	for (int i = options.index; i < argc; i++) {
		job = find(shell, argv[i]);
		if (job)
			jobs_print(shell, job, form);
		else
			status = shell_has(shell, SHELL_BASH) ? 1 : message_special(shell, 2);
	}
	for (job = options.index < argc ? NULL : shell->jobs; job; job = next) {
		next = job->next;
		if ((running && (jobs_is_done(job) || jobs_is_stopped(job))) ||
		    (stopped && !jobs_is_stopped(job)) || job->disowned)
			continue;
		jobs_print(shell, job, form);
		job->told = true;
		if (jobs_is_done(job))
			jobs_free(shell, job);
	}
	return status;
}

static int resume(struct shell *shell, const char *spec, bool foreground)
{
	struct job *job;
	struct text line = {0};

	if (!shell->job_control && shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "no job control");
		return 1;
	}
	job = find(shell, spec);
	if (!job)
		return shell_has(shell, SHELL_BASH) ? 1 : message_special(shell, 2);
	if (!job->controlled) {
		message_builtin(shell,
				shell_has(shell, SHELL_BASH)
					? "job %u started without job control"
					: "job %u not created under job control",
				job->number);
		return shell_has(shell, SHELL_BASH) ? 1 : message_special(shell, 2);
	}
	if (!foreground && !jobs_is_stopped(job) && !jobs_is_done(job) &&
	    shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "job %u already in background", job->number);
		return 0;
	}
	if (foreground)
		text_format(shell->process, &line, "%s\n", job->text);
	else
		text_format(shell->process, &line, "[%u]%c %s &\n", job->number,
			    shell_has(shell, SHELL_BASH) ? '+' : ' ', job->text);
	output_put(shell, text_slice(&line));
	output_flush(shell);
	process_give(shell->process, line.data);
	return jobs_continue(shell, job, foreground);
}

int builtin_fg(struct shell *shell, int argc, char **argv)
{
	return resume(shell, argc > 1 ? argv[1] : NULL, true);
}

int builtin_bg(struct shell *shell, int argc, char **argv)
{
	int status = 0;

	if (argc < 2)
		return resume(shell, NULL, false);
	for (int i = 1; i < argc; i++)
		status = resume(shell, argv[i], false);
	return status;
}

/* Waits for one of the background; its status. */
static int wait_job(struct shell *shell, struct job *job)
{
	int code;

	for (size_t i = 0; i < job->count; i++)
		while (job->statuses[i] == -1) {
			int status;
			int result = timing_wait(shell, job->pids[i], 0, &status);

			if (result == -EINTR) {
				execute_traps(shell);
				if (shell->unwind)
					return 130;
				continue;
			}
			job->statuses[i] = result < 0 ? 127 << 8 : status;
		}
	code = jobs_code(jobs_status(job));
	if (!shell->interactive) {
		jobs_free(shell, job);
	} else {
		output_flush(shell);
		jobs_check(shell, true);
	}
	return code;
}

int builtin_wait(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool next = false;
	int letter, status = 0;
	const char *variable = NULL;

	while ((letter = builtin_option(shell, &options, argc, argv,
					shell_has(shell, SHELL_BASH) ? "fnp:" : "")) != -1) {
		if (letter == '?')
			return 2;
		next |= letter == 'n';
		if (letter == 'p')
			variable = options.argument;
	}
	(void)variable;
	if (options.index >= argc) {
		struct job *job = shell->jobs;

		if (next && !job)
			return 127;
		while (job && !shell->unwind) {
			struct job *after = job->next;

			if (!jobs_is_stopped(job))
				status = wait_job(shell, job);
			if (next)
				return status;
			/* wait_job may have freed others that ended */
			job = shell->interactive ? shell->jobs : after;
			while (job && jobs_is_stopped(job))
				job = job->next;
		}
		return shell->unwind ? status : 0;
	}
	for (int i = options.index; i < argc; i++) {
		struct job *job = NULL;

		if (argv[i][0] == '%') {
			job = find(shell, argv[i]);
			if (!job) {
				status = 127;
				continue;
			}
		} else if (strspn(argv[i], "0123456789") == strlen(argv[i]) && *argv[i]) {
			job = jobs_of_pid(shell, (int)strtol(argv[i], NULL, 10));
			if (!job) {
				if (shell_has(shell, SHELL_BASH))
					message_builtin(shell,
							"pid %s is not a child of this shell",
							argv[i]);
				status = 127;
				continue;
			}
		} else {
			if (shell_has(shell, SHELL_BASH)) {
				message_builtin(shell, "`%s': not a pid or valid job spec",
						argv[i]);
				status = 1;
			} else {
				message_builtin(shell, "Illegal number: %s", argv[i]);
				return message_special(shell, 2);
			}
			continue;
		}
		status = wait_job(shell, job);
	}
	return status;
}

static int list_signals(struct shell *shell, int argc, char **argv)
{
	int column = 0, status = 0;

	for (int i = 0; i < argc; i++) {
		int64_t number;
		int signal = builtin_signal(argv[i]);

		if (shell_has(shell, SHELL_DASH) && builtin_number(argv[i], &number) < 0) {
			message_builtin(shell, "Illegal number: %s", argv[i]);
			return message_special(shell, 2);
		}
		if (builtin_number(argv[i], &number) == 0) {
			const char *name =
				builtin_signal_name((int)(number > 128 ? number - 128 : number));

			if (!name || number < 0) {
				message_builtin(shell, "%s: invalid signal specification", argv[i]);
				status = 1;
			} else {
				output_format(shell, "%s\n", name);
			}
		} else if (signal < 0) {
			message_builtin(shell, "%s: invalid signal specification", argv[i]);
			status = 1;
		} else {
			output_format(shell, "%d\n", signal);
		}
	}
	if (argc)
		return status;
	for (int i = shell_has(shell, SHELL_BASH) ? 1 : 0; i <= 64; i++) {
		const char *name = builtin_signal_name(i);

		if (!name)
			continue;
		if (shell_has(shell, SHELL_BASH))
			output_format(shell, "%2d) SIG%s%s", i, name, ++column % 5 ? "\t" : "\n");
		else if (shell_has(shell, SHELL_DASH))
			output_format(shell, "%s\n", i ? name : "0");
		else if (i)
			output_format(shell, "%2d) %s\n", i, name);
	}
	if (column % 5)
		output_text(shell, "\n");
	return 0;
}

static int send_signal(struct shell *shell, const char *target, int signal)
{
	int64_t pid;
	int error;

	if (target[0] == '%') {
		struct job *job = find(shell, target);

		if (!job)
			return 1;
		if (jobs_is_stopped(job) && (signal == SIGTERM || signal == SIGHUP))
			process_kill(shell->process, -(int)job->group, SIGCONT);
		if (job->group)
			error = process_kill(shell->process, -(int)job->group, signal);
		else
			error = process_kill(shell->process, job->pids[0], signal);
		return error < 0;
	}
	if (builtin_number(target, &pid) < 0 || pid > INT32_MAX || pid < INT32_MIN) {
		if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "%s: arguments must be process or job IDs", target);
		else if (shell_has(shell, SHELL_DASH)) {
			message_builtin(shell, "Illegal number: %s", target);
			message_special(shell, 2);
			return 2;
		} else {
			message_say(shell, "invalid number '%s'", target);
		}
		return 1;
	}
	error = process_kill(shell->process, (int)pid, signal);
	if (!error)
		return 0;
	if (shell_has(shell, SHELL_BASH))
		message_builtin(shell, "(%lld) - %s", (long long)pid, strerror(-error));
	else if (shell_has(shell, SHELL_DASH))
		message_builtin(shell, "%s\n", strerror(-error));
	else
		message_say(shell, "can't kill pid %lld: %s", (long long)pid, strerror(-error));
	return 1;
}

int builtin_kill(struct shell *shell, int argc, char **argv)
{
	int signal = SIGTERM, at = 1, status = 0;

	if (at < argc && (!strcmp(argv[at], "-l") || !strcmp(argv[at], "-L")))
		return list_signals(shell, argc - 2, argv + 2);
	if (at < argc && argv[at][0] == '-' && argv[at][1] && strcmp(argv[at], "--") != 0) {
		const char *name = argv[at] + 1;

		if (!strcmp(argv[at], "-s") ||
		    (!strcmp(argv[at], "-n") && shell_has(shell, SHELL_BASH))) {
			if (at + 1 >= argc) {
				message_builtin(shell, "%s: option requires an argument", argv[at]);
				return shell_has(shell, SHELL_BASH) ? 1 : 2;
			}
			name = argv[++at];
		}
		signal = builtin_signal(name);
		if (signal < 0) {
			if (shell_has(shell, SHELL_BASH))
				message_builtin(shell, "%s: invalid signal specification", name);
			else if (shell_has(shell, SHELL_DASH))
				message_builtin(shell, "Illegal option -%c", name[0]);
			else
				message_say(shell, "bad signal name '%s'", name);
			return shell_has(shell, SHELL_DASH) ? message_special(shell, 2) : 1;
		}
		at++;
	}
	if (at < argc && !strcmp(argv[at], "--"))
		at++;
	if (at >= argc) {
		if (shell_has(shell, SHELL_BASH))
			return builtin_usage(shell);
		if (shell_has(shell, SHELL_DASH)) {
			message_builtin(shell,
					"Usage: kill [-s sigspec | -signum | -sigspec] [pid | "
					"job]... or\nkill -l [exitstatus]");
			return message_special(shell, 2);
		}
		message_say(shell, "you need to specify whom to kill");
		return 1;
	}
	shell->just_killed = true;
	for (; at < argc; at++) {
		int result = send_signal(shell, argv[at], signal);

		if (result)
			status = result;
		if (shell->unwind)
			break;
	}
	return status;
}

int builtin_disown(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool all = false, keep = false, running = false;
	int letter;
	struct job *job, *next;

	while ((letter = builtin_option(shell, &options, argc, argv, "ahr")) != -1) {
		if (letter == '?')
			return 2;
		all |= letter == 'a' || letter == 'r';
		running |= letter == 'r';
		keep |= letter == 'h';
	}
	for (job = all ? shell->jobs : NULL; job; job = next) {
		next = job->next;
		if (running && (jobs_is_stopped(job) || jobs_is_done(job)))
			continue;
		if (keep)
			job->disowned = true;
		else
			jobs_free(shell, job);
	}
	if (all)
		return 0;
	for (int i = options.index; i < argc || i == options.index; i++) {
		const char *spec = i < argc ? argv[i] : NULL;

		job = spec && isdigit((uint8_t)*spec)
			      ? jobs_of_pid(shell, (int)strtol(spec, NULL, 10))
			      : NULL;
		if (!job)
			job = find(shell, spec);
		if (!job)
			return 1;
		if (keep)
			job->disowned = true;
		else
			jobs_free(shell, job);
	}
	return 0;
}

int builtin_suspend(struct shell *shell, int argc, char **argv)
{
	if (shell->login) {
		message_builtin(shell, "cannot suspend a login shell");
		return 1;
	}
	if (!shell->job_control) {
		message_builtin(shell, "cannot suspend: no job control");
		return 1;
	}
	process_kill(shell->process, (int)shell->process->pid, SIGSTOP);
	return 0;
}
