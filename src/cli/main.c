/* The program. */
#include "cli/command.h"

int main(int argc, char **argv)
{
	return commands_run(argc, (const char *const *)argv);
}
