/* Every limit of the fake machine, with its reason. Tested at n-1, n and n+1. */
#ifndef DECOY_MACHINE_LIMITS_H
#define DECOY_MACHINE_LIMITS_H

/* Memory that one log-in may hold in all its processes, pipes and shells: a real host kills what
 * takes too much, and a thousand intruders must fit into 1 GiB. */
#define MACHINE_MEMORY_MAX ((size_t)6 * 1024 * 1024)
/* Processes of one log-in at a time; what a fork bomb meets (bash says "fork: retry: Resource
 * temporarily unavailable"). */
#define MACHINE_PROCESSES_MAX 48
/* Coroutine stacks of one worker, all log-ins together: each is 256 KiB of address space. */
#define MACHINE_STACKS_MAX 16384
#define MACHINE_STACK_SIZE ((size_t)256 * 1024)
/* Open descriptors of a process: `ulimit -n` says 1024, nobody gets there. */
#define MACHINE_DESCRIPTORS_MAX 256
/* What a pipe holds before its writer waits; Linux has 64 KiB, which nobody can tell here. */
#define MACHINE_PIPE_MAX 4096
/* Input that the terminal keeps unread (Linux: 4096 in canonical mode). */
#define MACHINE_TERMINAL_INPUT_MAX 4096
/* Steps (loop turns, commands, lines of a filter) that run before other sessions get their turn. */
#define MACHINE_STEPS_A_TURN 4000
/* ... and of one process before the log-in's others get theirs. */
#define MACHINE_STEPS_A_SLICE 250
/* Steps of a log-in at full speed; beyond it the machine runs MACHINE_STEPS_SLOW every
 * MACHINE_SLOW_PAUSE: an endless loop costs us nothing, its owner sees a busy host. Full speed
 * comes back at MACHINE_STEPS_REGAINED a second. */
#define MACHINE_STEPS_FAST     400000
#define MACHINE_STEPS_SLOW     400
#define MACHINE_SLOW_PAUSE     ((int64_t)50000)
#define MACHINE_STEPS_REGAINED 20000
/* Steps are not alike: a turn also ends after so much time of the processor, which is looked at
 * once in so many steps, and what it took counts as a step a microsecond then. */
#define MACHINE_TURN_TIME      ((int64_t)50000)
#define MACHINE_TURN_TIME_SLOW ((int64_t)5000)
#define MACHINE_STEPS_UNLOOKED 16
/* The pause after such a slow turn, in times of what it took. */
#define MACHINE_TIMES_PAUSED 20
/* Size of one file that an intruder may write, and of all that one source keeps. */
#define MACHINE_FILE_MAX   ((uint64_t)32 * 1024 * 1024)
#define MACHINE_SOURCE_MAX ((uint64_t)64 * 1024 * 1024)
/* What a piece of evidence costs its log-in beyond its bytes and name: a block of the disk, and a
 * row of the store, so that a million empty files are not for nothing. */
#define MACHINE_EVIDENCE_PIECE ((uint64_t)4096)
/* A file of nothing but zeros takes no memory (`dd if=/dev/zero`): this much fits on the disk. */
#define MACHINE_ZEROS_MAX ((uint64_t)16 * 1024 * 1024 * 1024)
/* What all sources of a worker hold in memory together while they are logged in. */
#define MACHINE_CONTENTS_MAX ((uint64_t)192 * 1024 * 1024)
/* Journals of one source (it is written anew without what is gone, when it gets there) and of all
 * sources: the oldest go. */
#define MACHINE_JOURNAL_MAX  ((uint64_t)96 * 1024 * 1024)
#define MACHINE_JOURNALS_MAX ((uint64_t)2 * 1024 * 1024 * 1024)
/* Files of a source. */
#define MACHINE_SOURCE_FILES_MAX 4096
/* Names of its own in folders: of its files, of what it linked, renamed or removed. */
#define MACHINE_SOURCE_NAMES_MAX (4u * MACHINE_SOURCE_FILES_MAX)
/* Linux's own. */
#define MACHINE_PATH_MAX     4096
#define MACHINE_NAME_MAX     255
#define MACHINE_SYMLINKS_MAX 40
/* Arguments and environment of a command together (Linux: about 2 MiB). */
#define MACHINE_ARGUMENTS_MAX ((size_t)256 * 1024)

#endif
