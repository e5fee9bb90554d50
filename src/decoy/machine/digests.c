/* Digests that a file of the image has on the real host. */
#include "decoy/machine/process_state.h"

bool process_digests(struct process *process, const char *path, struct file_digests *digests)
{
	struct process_entry *entry = (struct process_entry *)process;
	struct file_access access = process_file_access(entry);
	int error = 0;
	node_number node = file_system_walk(&access, entry->folder, path, true, &error);

	return node != 0 && file_system_digests(&access, node, digests);
}
