/* The table of all command families, and how a command is found in it. */
#include "decoy/machine/command.h"

#define FAMILY(name) extern const struct command_family command_family_##name;
#include "decoy/machine/families.def"
#undef FAMILY

const struct command_family *const command_families[] = {
#define FAMILY(name) &command_family_##name,
#include "decoy/machine/families.def"
#undef FAMILY
	NULL,
};
