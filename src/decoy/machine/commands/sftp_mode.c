/* A mode in the letters of ls, as strmode(3) of BSD writes them. */
#include <stdio.h>

#include "decoy/machine/commands/sftp.h"

static char letter_of(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFSOCK:
		return 's';
	case S_IFIFO:
		return 'p';
	default:
		return '-';
	}
}

void sftp_mode_words(unsigned mode, char words[12])
{
	static const struct {
		unsigned bit;
		char both, alone;
	} special[3] = {{S_ISUID, 's', 'S'}, {S_ISGID, 's', 'S'}, {S_ISVTX, 't', 'T'}};
	char *at = words;
	*at++ = letter_of(mode);
	for (unsigned i = 0; i < 3; i++) {
		unsigned bits = mode >> (6 - 3 * i);
		*at++ = bits & 4 ? 'r' : '-';
		*at++ = bits & 2 ? 'w' : '-';
		if (mode & special[i].bit)
			*at++ = bits & 1 ? special[i].both : special[i].alone;
		else
			*at++ = bits & 1 ? 'x' : '-';
	}
	*at++ = ' ';
	*at = '\0';
}
