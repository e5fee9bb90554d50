/* ps of BusyBox; see system_ps.h. */
#include "decoy/machine/commands/system_ps.h"

int ps_busybox(struct process *p)
{
	struct task_list list = system_tasks(p);
	struct task t;
	bool router = host_kind(process_host(p)) == HOST_ROUTER;

	process_put_text(p, router ? "  PID USER       VSZ STAT COMMAND\n"
				   : "PID   USER     COMMAND\n");
	while (task_next(&list, &t)) {
		struct writer w = writer_growing(128 * 1024);

		/* Of the kernel's it knows only the fifteen letters. */
		if (t.virtual_kilobytes)
			task_command(&t, &w, ' ');
		else
			writer_format(&w, "[%.15s]", t.name);
		writer_u8(&w, 0);
		if (router)
			process_print(p, "%5u %-8.8s %5llu %c%-3.3s %s\n", t.pid,
				      command_user_name(p, t.uid),
				      (unsigned long long)t.virtual_kilobytes, t.state,
				      t.nice < 0            ? t.virtual_kilobytes ? "<" : "W<"
				      : t.virtual_kilobytes ? ""
							    : "W",
				      (const char *)w.at);
		else
			process_print(p, "%5u %-8.8s %s\n", t.pid, command_user_name(p, t.uid),
				      (const char *)w.at);
		writer_free(&w);
		process_step(p);
	}
	return 0;
}
