/* The shells of the fake machine: bash 5.2, dash 0.5.12 and BusyBox's ash 1.35, one implementation
 * with three personalities.
 *
 * lexer, parser, tree       text -> a tree of commands, in reference-counted pools
 * expand_*, arithmetic,     words -> fields
 *   pattern, glob
 * execute_*, redirect,      running it: children are coroutines of the machine
 *   launch, jobs
 * builtin_*                 the commands that a shell has itself
 * variables_*, options,     what it knows
 *   functions
 * readline*, history,       a terminal: readline's keys and bytes
 *   completion, prompt
 * startup, input            how it begins and where lines come from
 *
 * Everything hangs off one struct shell in the memory of the process that is the shell.
 */
#ifndef DECOY_MACHINE_SHELL_SHELL_H
#define DECOY_MACHINE_SHELL_SHELL_H

#include "decoy/machine/command.h"

extern const struct command_family command_family_shell;

#endif
