/* diff as GNU diffutils 3.8. */
#include <ctype.h>
#include <stdlib.h>
#include <time.h>

#include "decoy/machine/commands/text_diff.h"

/* Differences that are searched for in full (Myers' D); beyond it the rest counts as changed. */
#define DIFFERENCES_MAX 600
#define FOLDER_DEPTH    32

enum diff_form { DIFF_NORMAL, DIFF_UNIFIED, DIFF_CONTEXT, DIFF_BRIEF };

struct diff {
	struct process *process;
	enum diff_form form;
	int64_t context;
	bool ignore_case, ignore_space, ignore_change, ignore_blank, as_text, report_same,
		recursive, new_file, has_digits;
	int status;
	const char *options; /* as they were given, for the line of -r */
};

struct lines {
	const char *name;
	struct text text;
	struct slice *at;
	bool *changed;
	size_t count;
	bool cut; /* the last line has no newline */
	int64_t modified;
};

/* --- comparing lines --- */

static size_t skip_space(struct slice s, size_t at)
{
	while (at < s.length && isspace(s.at[at]))
		at++;
	return at;
}

static bool same_line(const struct diff *diff, struct slice a, struct slice b)
{
	size_t i = 0, j = 0;

	if (!diff->ignore_case && !diff->ignore_space && !diff->ignore_change)
		return slice_equal(a, b);
	for (;; i++, j++) {
		if (diff->ignore_space) {
			i = skip_space(a, i);
			j = skip_space(b, j);
		} else if (diff->ignore_change) {
			size_t x = skip_space(a, i), y = skip_space(b, j);

			if ((x > i && y > j) || x == a.length || y == b.length) {
				if ((x > i) != (y > j) && x < a.length && y < b.length)
					return false;
				i = x == a.length || y > j ? x : i;
				j = y == b.length || x > 0 ? y : j;
			}
		}
		if (i >= a.length || j >= b.length)
			return i >= a.length && j >= b.length;
		if (diff->ignore_case ? tolower(a.at[i]) != tolower(b.at[j]) : a.at[i] != b.at[j])
			return false;
	}
}

static void find_lines(struct process *process, struct lines *lines)
{
	struct slice rest = text_slice(&lines->text);
	size_t capacity = 0;

	while (rest.length > 0) {
		size_t end = slice_find_byte(rest, '\n');

		process_step(process);
		if (lines->count == capacity) {
			capacity = capacity * 2 + 64;
			lines->at =
				process_retake(process, lines->at, capacity * sizeof(*lines->at));
		}
		lines->at[lines->count++] = slice_first(rest, end);
		lines->cut = end == SIZE_MAX;
		rest = end == SIZE_MAX ? slice_of(NULL, 0) : slice_from(rest, end + 1);
	}
	lines->changed = process_take(process, lines->count + 1);
}

/* --- the shortest edit (Myers 1986) between two ranges --- */

struct range {
	size_t a, a_end, b, b_end;
};

static size_t slide(struct diff *diff, const struct lines *a, const struct lines *b,
		    const struct range *range, size_t x, size_t y)
{
	size_t length = 0;

	while (range->a + x + length < range->a_end && range->b + y + length < range->b_end &&
	       same_line(diff, a->at[range->a + x + length], b->at[range->b + y + length]))
		length++;
	process_step(diff->process);
	return length;
}

static void mark_all(struct lines *a, struct lines *b, const struct range *range)
{
	for (size_t i = range->a; i < range->a_end; i++)
		a->changed[i] = true;
	for (size_t i = range->b; i < range->b_end; i++)
		b->changed[i] = true;
}

/* Walks back through the furthest points of each D and marks what was taken out or put in. */
static void walk_back(struct lines *a, struct lines *b, const struct range *range, int **points,
		      int d, int x, int y)
{
	for (; d > 0; d--) {
		const int *before = points[d - 1] + (d - 1);
		int k = x - y;
		bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);
		int from_k = down ? k + 1 : k - 1;
		int from_x = before[from_k], from_y = from_x - from_k;

		if (down)
			b->changed[range->b + (size_t)from_y] = true;
		else
			a->changed[range->a + (size_t)from_x] = true;
		x = from_x;
		y = from_y;
	}
}

static void find_edit(struct diff *diff, struct lines *a, struct lines *b,
		      const struct range *range)
{
	int n = (int)(range->a_end - range->a), m = (int)(range->b_end - range->b);
	int **points = process_take(diff->process, (DIFFERENCES_MAX + 1) * sizeof(*points));
	int d, most = n + m < DIFFERENCES_MAX ? n + m : DIFFERENCES_MAX;
	bool found = false;

	for (d = 0; d <= most && !found; d++) {
		int *now = process_take(diff->process, (size_t)(2 * d + 1) * sizeof(*now));

		points[d] = now;
		now += d;
		for (int k = -d; k <= d && !found; k += 2) {
			const int *before = d > 0 ? points[d - 1] + (d - 1) : NULL;
			int x = d == 0 ? 0
				: k == -d || (k != d && before[k - 1] < before[k + 1])
					? before[k + 1]
					: before[k - 1] + 1;
			int y = x - k;

			if (x < 0 || y < 0 || x > n || y > m) {
				now[k] = x;
				continue;
			}
			now[k] = x + (int)slide(diff, a, b, range, (size_t)x, (size_t)y);
			if (now[k] >= n && now[k] - k >= m) {
				walk_back(a, b, range, points, d, n, m);
				found = true;
			}
		}
	}
	if (!found)
		mark_all(a, b, range);
	for (int i = 0; i < d; i++)
		process_give(diff->process, points[i]);
	process_give(diff->process, points);
}

static void compare_lines(struct diff *diff, struct lines *a, struct lines *b)
{
	struct range range = {0, a->count, 0, b->count};
	bool cut_differs = a->cut != b->cut && a->count > 0 && b->count > 0;

	while (range.a < range.a_end && range.b < range.b_end &&
	       same_line(diff, a->at[range.a], b->at[range.b]) &&
	       !(cut_differs && (range.a + 1 == a->count) && range.b + 1 == b->count)) {
		range.a++;
		range.b++;
		process_step(diff->process);
	}
	while (!cut_differs && range.a_end > range.a && range.b_end > range.b &&
	       same_line(diff, a->at[range.a_end - 1], b->at[range.b_end - 1])) {
		range.a_end--;
		range.b_end--;
		process_step(diff->process);
	}
	if (range.a == range.a_end || range.b == range.b_end) {
		mark_all(a, b, &range);
		return;
	}
	if (cut_differs) { /* the last lines are not equal, whatever they say */
		a->changed[--range.a_end] = true;
		b->changed[--range.b_end] = true;
	}
	find_edit(diff, a, b, &range);
}

/* A change that could as well be further down is put there, as GNU's diff does. */
static void shift_down(const struct diff *diff, struct lines *lines)
{
	size_t at = 0;

	while (at < lines->count) {
		size_t start, end;

		while (at < lines->count && !lines->changed[at])
			at++;
		start = at;
		while (at < lines->count && lines->changed[at])
			at++;
		end = at;
		while (end < lines->count && end > start && !lines->changed[end] &&
		       same_line(diff, lines->at[start], lines->at[end])) {
			lines->changed[start++] = false;
			lines->changed[end++] = true;
			while (end < lines->count && lines->changed[end])
				end++;
			at = end;
		}
	}
}

/* --- output --- */

struct hunk {
	size_t a, a_count, b, b_count;
};

static bool next_hunk(const struct lines *a, const struct lines *b, size_t *i, size_t *j,
		      struct hunk *hunk)
{
	while (*i < a->count && *j < b->count && !a->changed[*i] && !b->changed[*j]) {
		(*i)++;
		(*j)++;
	}
	*hunk = (struct hunk){.a = *i, .b = *j};
	while (*i < a->count && a->changed[*i])
		(*i)++;
	while (*j < b->count && b->changed[*j])
		(*j)++;
	hunk->a_count = *i - hunk->a;
	hunk->b_count = *j - hunk->b;
	return hunk->a_count > 0 || hunk->b_count > 0;
}

static void put_line(struct diff *diff, const struct lines *lines, size_t index, const char *mark)
{
	process_put_text(diff->process, mark);
	process_put(diff->process, lines->at[index]);
	process_put_byte(diff->process, '\n');
	if (lines->cut && index + 1 == lines->count)
		process_put_text(diff->process, "\\ No newline at end of file\n");
}

static void put_range(struct diff *diff, size_t start, size_t count, const char *separator)
{
	if (count == 1)
		process_print(diff->process, "%zu", start + 1);
	else if (count == 0)
		process_print(diff->process, "%zu", start);
	else
		process_print(diff->process, "%zu%s%zu", start + 1, separator, start + count);
}

static void put_normal(struct diff *diff, const struct lines *a, const struct lines *b)
{
	size_t i = 0, j = 0;
	struct hunk hunk;

	while (next_hunk(a, b, &i, &j, &hunk)) {
		put_range(diff, hunk.a, hunk.a_count, ",");
		process_put_byte(diff->process, hunk.a_count == 0   ? 'a'
						: hunk.b_count == 0 ? 'd'
								    : 'c');
		put_range(diff, hunk.b, hunk.b_count, ",");
		process_put_byte(diff->process, '\n');
		for (size_t at = 0; at < hunk.a_count; at++)
			put_line(diff, a, hunk.a + at, "< ");
		if (hunk.a_count > 0 && hunk.b_count > 0)
			process_put_text(diff->process, "---\n");
		for (size_t at = 0; at < hunk.b_count; at++)
			put_line(diff, b, hunk.b + at, "> ");
	}
}

static void put_title(struct diff *diff, const char *mark, const struct lines *lines)
{
	time_t seconds = (time_t)(lines->modified / 1000000);
	char when[40];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	if (diff->form == DIFF_CONTEXT) {
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
		process_print(diff->process, "%s %s\t%s\n", mark, lines->name, when);
		return;
	}
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	process_print(diff->process, "%s %s\t%s.%09lld +0000\n", mark, lines->name, when,
		      (long long)(lines->modified % 1000000) * 1000);
}

static void put_unified_range(struct diff *diff, size_t start, size_t count)
{
	if (count == 1)
		process_print(diff->process, "%zu", start + 1);
	else
		process_print(diff->process, "%zu,%zu", count ? start + 1 : start, count);
}

/* The lines of one group of changes, with what stands around and between them. */
static void put_unified_group(struct diff *diff, const struct lines *a, const struct lines *b,
			      const struct hunk *first, const struct hunk *last)
{
	size_t context = (size_t)diff->context;
	size_t before = first->a < context ? first->a : context;
	size_t after_start = last->a + last->a_count;
	size_t after = a->count - after_start < context ? a->count - after_start : context;
	size_t i = first->a - before, j = first->b - before;
	size_t a_end = after_start + after;

	process_put_text(diff->process, "@@ -");
	put_unified_range(diff, i, a_end - i);
	process_put_text(diff->process, " +");
	put_unified_range(diff, j, last->b + last->b_count + after - j);
	process_put_text(diff->process, " @@\n");
	while (i < a_end || (j < b->count && b->changed[j] && j < last->b + last->b_count)) {
		if (i < a->count && a->changed[i])
			put_line(diff, a, i++, "-");
		else if (j < b->count && b->changed[j])
			put_line(diff, b, j++, "+");
		else {
			put_line(diff, a, i++, " ");
			j++;
		}
	}
}

static void put_context_side(struct diff *diff, const struct lines *lines, size_t start, size_t end,
			     bool any, const struct lines *other, size_t other_start, char mark)
{
	const char *edge = mark == '-' ? "***" : "---";
	size_t other_at = other_start;

	process_print(diff->process, "%s ", edge);
	put_range(diff, start, end - start, ",");
	process_print(diff->process, " %s%s\n", edge, mark == '-' ? "*" : "-");
	if (!any)
		return;
	for (size_t i = start; i < end;) {
		size_t run = i, other_run;

		if (!lines->changed[i]) {
			while (other_at < other->count && other->changed[other_at])
				other_at++;
			put_line(diff, lines, i++, "  ");
			other_at++;
			continue;
		}
		other_run = other_at;
		while (other_run < other->count && other->changed[other_run])
			other_run++;
		while (run < end && lines->changed[run])
			put_line(diff, lines, run++,
				 other_run > other_at ? "! "
				 : mark == '-'        ? "- "
						      : "+ ");
		i = run;
		other_at = other_run;
	}
}

static void put_context_group(struct diff *diff, const struct lines *a, const struct lines *b,
			      const struct hunk *first, const struct hunk *last)
{
	size_t context = (size_t)diff->context;
	size_t before = first->a < context ? first->a : context;
	size_t after_start = last->a + last->a_count;
	size_t after = a->count - after_start < context ? a->count - after_start : context;
	size_t i = first->a - before, j = first->b - before;
	size_t a_end = after_start + after, b_end = last->b + last->b_count + after;
	bool any_a = false, any_b = false;

	for (size_t at = i; at < a_end; at++)
		any_a = any_a || a->changed[at];
	for (size_t at = j; at < b_end; at++)
		any_b = any_b || b->changed[at];
	process_put_text(diff->process, "***************\n");
	put_context_side(diff, a, i, a_end, any_a, b, j, '-');
	put_context_side(diff, b, j, b_end, any_b, a, i, '+');
}

static void put_groups(struct diff *diff, const struct lines *a, const struct lines *b)
{
	size_t i = 0, j = 0;
	struct hunk first, last, hunk;
	bool more;

	put_title(diff, diff->form == DIFF_UNIFIED ? "---" : "***", a);
	put_title(diff, diff->form == DIFF_UNIFIED ? "+++" : "---", b);
	more = next_hunk(a, b, &i, &j, &hunk);
	while (more) {
		first = last = hunk;
		while ((more = next_hunk(a, b, &i, &j, &hunk)) &&
		       hunk.a - (last.a + last.a_count) <= 2 * (size_t)diff->context)
			last = hunk;
		if (diff->form == DIFF_UNIFIED)
			put_unified_group(diff, a, b, &first, &last);
		else
			put_context_group(diff, a, b, &first, &last);
	}
}

/* --- files --- */

static bool read_lines(struct diff *diff, const char *name, struct lines *lines)
{
	struct file_status status;
	int error = process_stat(diff->process, name, true, &status);
	int descriptor;

	lines->name = name;
	if (strcmp(name, "-") == 0)
		error = process_status_of(diff->process, 0, &status);
	if (error == -ENOENT && diff->new_file) {
		find_lines(diff->process, lines);
		return true;
	}
	descriptor = error == 0 ? text_open_quiet(diff->process, name) : error;
	if (descriptor >= 0)
		error = process_read_all(diff->process, descriptor, TEXT_WHOLE_MAX, &lines->text);
	else
		error = descriptor;
	if (error < 0) {
		process_complain(diff->process, "%s: %s", name, strerror(-error));
		diff->status = 2;
		return false;
	}
	text_close(diff->process, descriptor);
	lines->modified = strcmp(name, "-") == 0 ? process_now(diff->process) : status.modified;
	return true;
}

static void differ(struct diff *diff)
{
	if (diff->status == 0)
		diff->status = 1;
}

static void put_difference(struct diff *diff, struct lines *a, struct lines *b, bool titled)
{
	bool binary =
		!diff->as_text && ((a->text.length && memchr(a->text.data, 0, a->text.length)) ||
				   (b->text.length && memchr(b->text.data, 0, b->text.length)));
	bool changed = false;

	if (slice_equal(text_slice(&a->text), text_slice(&b->text))) {
		if (diff->report_same)
			process_print(diff->process, "Files %s and %s are identical\n", a->name,
				      b->name);
		return;
	}
	if (binary) {
		process_print(diff->process, "Binary files %s and %s differ\n", a->name, b->name);
		differ(diff);
		return;
	}
	find_lines(diff->process, a);
	find_lines(diff->process, b);
	compare_lines(diff, a, b);
	shift_down(diff, a);
	shift_down(diff, b);
	for (size_t i = 0; i < a->count; i++)
		changed = changed || (a->changed[i] && !(diff->ignore_blank && !a->at[i].length));
	for (size_t i = 0; i < b->count; i++)
		changed = changed || (b->changed[i] && !(diff->ignore_blank && !b->at[i].length));
	if (!changed)
		return;
	differ(diff);
	if (diff->form == DIFF_BRIEF) {
		process_print(diff->process, "Files %s and %s differ\n", a->name, b->name);
		return;
	}
	if (titled)
		process_print(diff->process, "diff%s %s %s\n", diff->options, a->name, b->name);
	if (diff->form == DIFF_NORMAL)
		put_normal(diff, a, b);
	else
		put_groups(diff, a, b);
}

static void diff_files(struct diff *diff, const char *left, const char *right, bool titled)
{
	struct lines a = {0}, b = {0};
	bool both = read_lines(diff, left, &a);

	both = read_lines(diff, right, &b) && both;
	if (both)
		put_difference(diff, &a, &b, titled);
	process_give(diff->process, a.text.data);
	process_give(diff->process, a.at);
	process_give(diff->process, a.changed);
	process_give(diff->process, b.text.data);
	process_give(diff->process, b.at);
	process_give(diff->process, b.changed);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct folder_entry *)a)->name,
		      ((const struct folder_entry *)b)->name);
}

static bool is_folder(struct process *process, const char *name)
{
	struct file_status status;

	return process_stat(process, name, true, &status) == 0 && S_ISDIR(status.mode);
}

static void diff_folders(struct diff *diff, const char *left, const char *right, unsigned depth)
{
	struct process *process = diff->process;
	struct folder_entry *a, *b;
	ssize_t a_count = process_list(process, left, &a), b_count;
	ssize_t i = 0, j = 0;

	b_count = process_list(process, right, &b);
	if (a_count < 0 || b_count < 0 || depth > FOLDER_DEPTH) {
		diff->status = 2;
		return;
	}
	qsort(a, (size_t)a_count, sizeof(*a), by_name);
	qsort(b, (size_t)b_count, sizeof(*b), by_name);
	while (i < a_count || j < b_count) {
		int order = i >= a_count ? 1 : j >= b_count ? -1 : strcmp(a[i].name, b[j].name);
		const char *name = order <= 0 ? a[i].name : b[j].name;
		char *x = process_format(process, "%s/%s", left, name);
		char *y = process_format(process, "%s/%s", right, name);

		process_step(process);
		i += order <= 0;
		j += order >= 0;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
			continue;
		if (order != 0 && !diff->new_file) {
			process_print(process, "Only in %s: %s\n", order < 0 ? left : right, name);
			differ(diff);
		} else if (is_folder(process, x) && is_folder(process, y)) {
			if (diff->recursive)
				diff_folders(diff, x, y, depth + 1);
			else
				process_print(process, "Common subdirectories: %s and %s\n", x, y);
		} else
			diff_files(diff, x, y, true);
		process_give(process, x);
		process_give(process, y);
	}
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void diff_operands(struct diff *diff, const char *left, const char *right)
{
	bool left_folder = is_folder(diff->process, left);
	bool right_folder = is_folder(diff->process, right);

	if (left_folder && right_folder)
		diff_folders(diff, left, right, 0);
	else if (left_folder)
		diff_files(diff, process_format(diff->process, "%s/%s", left, last_part(right)),
			   right, false);
	else if (right_folder)
		diff_files(diff, left,
			   process_format(diff->process, "%s/%s", right, last_part(left)), false);
	else
		diff_files(diff, left, right, false);
}

void text_diff_try(struct process *process)
{
	if (process->busybox)
		text_try_help(process, 1);
	process_error(process, "%s: Try '%s --help' for more information.\n", process->argv[0],
		      process->argv[0]);
	process_exit(process, 2);
}

static void diff_option(struct diff *diff, int option, const char *argument)
{
	if (option >= '0' && option <= '9') { /* -u0: digits add up */
		if (!diff->has_digits)
			diff->context = 0;
		diff->has_digits = true;
		if (diff->context < 100000)
			diff->context = diff->context * 10 + (option - '0');
		return;
	}
	switch (option) {
	case 'u':
	case 'U':
	case 'c':
	case 'C':
		diff->form = option == 'u' || option == 'U' ? DIFF_UNIFIED : DIFF_CONTEXT;
		if (argument &&
		    slice_number(slice_text(argument), 0, 100000, &diff->context) != 0) {
			process_complain(diff->process, "invalid context length '%s'", argument);
			text_diff_try(diff->process);
		}
		break;
	case 'q':
		diff->form = DIFF_BRIEF;
		break;
	case 's':
		diff->report_same = true;
		break;
	case 'r':
		diff->recursive = true;
		break;
	case 'N':
		diff->new_file = true;
		break;
	case 'i':
		diff->ignore_case = true;
		break;
	case 'w':
		diff->ignore_space = true;
		break;
	case 'b':
	case 'Z':
		diff->ignore_change = true;
		break;
	case 'B':
		diff->ignore_blank = true;
		break;
	case 'a':
		diff->as_text = true;
		break;
	case 'v':
		option = TEXT_VERSION;
		/* fallthrough */
	case TEXT_VERSION:
	case TEXT_HELP:
		text_other_option(diff->process, option, "(GNU diffutils) 3.8",
				  "[OPTION]... FILES\nCompare FILES line by line.", 2);
	case '?':
		text_diff_try(diff->process);
	default:
		break;
	}
}

static int diff_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"brief", 'q'},
						   {"context", 'C', OPTION_MAY},
						   {"ignore-all-space", 'w'},
						   {"ignore-blank-lines", 'B'},
						   {"ignore-case", 'i'},
						   {"ignore-space-change", 'b'},
						   {"ignore-trailing-space", 'Z'},
						   {"new-file", 'N'},
						   {"normal", 'n' + 512},
						   {"recursive", 'r'},
						   {"report-identical-files", 's'},
						   {"text", 'a'},
						   {"unified", 'U', OPTION_MAY},
						   {"color", 'n' + 513, OPTION_MAY},
						   TEXT_WORDS};
	struct diff diff = {.process = process, .context = 3};
	struct option_state state = {0};
	struct text options = {0};
	int option;

	text_add_words(process, &options, "");
	for (int i = 1; i < argc; i++) {
		if (argv[i][0] == '-' && argv[i][1])
			text_format(process, &options, " %s", argv[i]);
	}
	while ((option = option_next(process, &state, argc, argv, ":0123456789abBcC:diNqrstuU:vwZp",
				     words)) != -1)
		diff_option(&diff, option, state.argument);
	diff.options = options.data;
	if (argc - state.index != 2) {
		if (process->busybox)
			text_try_help(process, 1);
		if (argc - state.index < 2)
			process_complain(process, "missing operand after '%s'", argv[argc - 1]);
		else
			process_complain(process, "extra operand '%s'", argv[state.index + 2]);
		text_diff_try(process);
	}
	diff_operands(&diff, argv[state.index], argv[state.index + 1]);
	return diff.status;
}

static const struct command commands[] = {
	{"diff", diff_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_diff = {"text_diff", commands};
