/* Python's order of lists; see python.h. */
#include "decoy/machine/commands/python.h"

struct python_value python_sort_key(struct python *py, struct python_value key,
				    struct python_value item)
{
	struct slice none = {0};
	struct python_arguments one = {&item, &none, 1};

	return key.kind == PYTHON_NONE ? item : python_call(py, key, &one);
}

/* Merges what is sorted on both sides of the middle, the equal ones from the left first. */
static void merge(struct python *py, struct python_value *at[2], struct python_value *other[2],
		  const size_t ends[3], int sign)
{
	size_t left = ends[0], right = ends[1];

	for (size_t i = ends[0]; i < ends[2]; i++) {
		bool from_right = left == ends[1] ||
				  (right < ends[2] && !py->raised &&
				   python_compare(py, "<", at[1][right], at[1][left]) * sign < 0);
		size_t from = from_right ? right++ : left++;

		other[0][i] = at[0][from];
		other[1][i] = at[1][from];
		process_step(py->process);
	}
}

void python_sort(struct python *py, struct python_list *list, struct python_value *keys, int sign)
{
	struct process *p = py->process;
	size_t size = (list->count + 1) * sizeof(*list->items), count = list->count;
	struct python_value *at[2] = {process_take(p, size), process_take(p, size)};
	struct python_value *other[2] = {process_take(p, size), process_take(p, size)};

	if (count) {
		memcpy(at[0], list->items, count * sizeof(*list->items));
		memcpy(at[1], keys ? keys : list->items, count * sizeof(*list->items));
	}
	for (size_t width = 1; width < count; width *= 2) {
		struct python_value *swap[2] = {at[0], at[1]};

		for (size_t i = 0; i < count; i += 2 * width) {
			size_t middle = i + width < count ? i + width : count;
			size_t end = i + 2 * width < count ? i + 2 * width : count;

			merge(py, at, other, (size_t[]){i, middle, end}, sign);
		}
		at[0] = other[0];
		at[1] = other[1];
		other[0] = swap[0];
		other[1] = swap[1];
	}
	if (count && !py->raised)
		memcpy(list->items, at[0], count * sizeof(*list->items));
	for (size_t i = 0; i < 2; i++) {
		process_give(p, at[i]);
		process_give(p, other[i]);
	}
}

void python_sort_as(struct python *py, struct python_list *list,
		    const struct python_arguments *arguments)
{
	struct python_value key = python_argument(arguments, SIZE_MAX, "key");
	int sign = python_truth(python_argument(arguments, SIZE_MAX, "reverse")) ? -1 : 1;
	struct python_value *keys = NULL;

	if (key.kind != PYTHON_NONE)
		keys = process_take(py->process, (list->count + 1) * sizeof(*keys));
	for (size_t i = 0; keys && i < list->count && !python_fails(py); i++)
		keys[i] = python_sort_key(py, key, list->items[i]);
	if (!python_fails(py))
		python_sort(py, list, keys, sign);
	process_give(py->process, keys);
}
