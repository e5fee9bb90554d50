/* The program: finds the command and hands over. */
#include <stdio.h>

int main(void)
{
	puts("sundew " SUNDEW_VERSION);
	return 0;
}
