/* Python's operators; see python.h. */
#include <math.h>
#include <stdlib.h>

#include "decoy/machine/commands/python.h"

static struct python_value unsupported(struct python *py, struct slice operator,
				       struct python_value a, struct python_value b)
{
	if (a.kind == PYTHON_OPAQUE || b.kind == PYTHON_OPAQUE)
		return python_opaque();
	if (slice_is(operator, "+") && (a.kind == PYTHON_TEXT || a.kind == PYTHON_LIST))
		return python_raise(py, "TypeError", "can only concatenate %s (not \"%s\") to %s",
				    python_type_name(a), python_type_name(b), python_type_name(a));
	if (slice_is(operator, "+") && a.kind == PYTHON_BYTES)
		return python_raise(py, "TypeError", "can't concat %s to bytes",
				    python_type_name(b));
	return python_raise(py, "TypeError",
			    "unsupported operand type(s) for %.*s%s: '%s' and '%s'",
			    (int)operator.length, (const char *)operator.at,
			    slice_is(operator, "**") ? " or pow()" : "", python_type_name(a),
			    python_type_name(b));
}

/* What does not fit is more than is reckoned with here. */
static struct python_value endless(struct python *py)
{
	py->beyond = true;
	return python_none();
}

static struct python_value power(struct python *py, int64_t base, int64_t exponent)
{
	int64_t result = 1;
	bool over = false, base_over = false;

	if (exponent < 0 && base == 0)
		return python_raise(py, "ZeroDivisionError",
				    "0.0 cannot be raised to a negative power");
	if (exponent < 0)
		return python_float(pow((double)base, (double)exponent));
	for (; exponent > 0; exponent >>= 1) {
		if (exponent & 1) {
			over = over || base_over || __builtin_mul_overflow(result, base, &result);
			if (over)
				return endless(py);
		}
		base_over = base_over || __builtin_mul_overflow(base, base, &base);
	}
	return python_int(result);
}

static struct python_value divide(struct python *py, struct slice operator, int64_t a, int64_t b)
{
	int64_t whole, rest;

	if (b == 0)
		return python_raise(py, "ZeroDivisionError",
				    slice_is(operator, "/") ? "division by zero"
				    : slice_is(operator, "%")
					    ? "integer modulo by zero"
					    : "integer division or modulo by zero");
	if (slice_is(operator, "/"))
		return python_float((double)a / (double)b);
	if (b == -1 && a == INT64_MIN) /* the smallest number has no positive */
		return slice_is(operator, "%") ? python_int(0) : endless(py);
	whole = a / b;
	rest = a % b;
	if (rest && (rest < 0) != (b < 0)) {
		whole--;
		rest += b;
	}
	return python_int(slice_is(operator, "%") ? rest : whole);
}

PYTHON_APART static struct python_value integers(struct python *py, struct slice operator,
						 int64_t a, int64_t b)
{
	int64_t result = 0;
	char sign = (char)operator.at[0];
	bool two = operator.length == 2, over = false;

	if (sign == '*' && two)
		return power(py, a, b);
	if (sign == '/' || sign == '%')
		return divide(py, operator, a, b);
	if (two && (b < 0 || b > 62))
		return b < 0         ? python_raise(py, "ValueError", "negative shift count")
		       : sign == '>' ? python_int(a < 0 ? -1 : 0)
		       : a == 0      ? python_int(0)
				     : endless(py);
	switch (sign) {
	case '+':
		over = __builtin_add_overflow(a, b, &result);
		break;
	case '-':
		over = __builtin_sub_overflow(a, b, &result);
		break;
	case '*':
		over = __builtin_mul_overflow(a, b, &result);
		break;
	case '<':
		over = __builtin_mul_overflow(a, (int64_t)1 << b, &result);
		break;
	case '>':
		result = a >> b;
		break;
	case '&':
		result = a & b;
		break;
	case '|':
		result = a | b;
		break;
	default:
		result = a ^ b;
	}
	return over ? endless(py) : python_int(result);
}

PYTHON_APART static struct python_value reals(struct python *py, struct slice operator, double a,
					      double b)
{
	bool two = operator.length == 2;

	switch (operator.at[0]) {
	case '+':
		return python_float(a + b);
	case '-':
		return python_float(a - b);
	case '*':
		if (!two)
			return python_float(a * b);
		if (isfinite(a) && isfinite(b) && !isfinite(pow(a, b)))
			return a == 0 ? python_raise(py, "ZeroDivisionError",
						     "0.0 cannot be raised to a negative power")
			       : isnan(pow(a, b))
				       ? endless(py) /* a complex number */
				       : python_raise(py, "OverflowError",
						      "(34, 'Numerical result out of range')");
		return python_float(pow(a, b));
	case '/':
	case '%':
		if (b == 0)
			return python_raise(py, "ZeroDivisionError",
					    two                   ? "float floor division by zero" :
					    operator.at[0] == '%' ? "float modulo"
								  : "float division by zero");
		if (operator.at[0] == '%')
			return python_float(a - floor(a / b) * b);
		return python_float(two ? floor(a / b) : a / b);
	default:
		return unsupported(py, operator, python_float(a), python_float(b));
	}
}

PYTHON_APART static struct python_value repeat(struct python *py, struct python_value what,
					       int64_t times)
{
	struct python_value made = what;
	struct text out = {0};

	if (what.kind == PYTHON_LIST || what.kind == PYTHON_TUPLE) {
		made = python_list(py, what.kind);
		for (int64_t i = 0; what.list->count && i < times && !py->raised; i++)
			for (size_t j = 0; j < what.list->count && !py->raised; j++)
				python_append(py, made, what.list->items[j]);
		return made;
	}
	if (times > 0 && what.text.length > PYTHON_TEXT_MAX / (uint64_t)times)
		return python_raise(py, "MemoryError", "%s", "");
	text_add_words(py->process, &out, "");
	for (int64_t i = 0; what.text.length && i < times; i++) {
		text_add(py->process, &out, what.text);
		process_step(py->process);
	}
	made.text = text_slice(&out);
	return made;
}

PYTHON_APART static struct python_value join(struct python *py, struct python_value a,
					     struct python_value b)
{
	struct python_value made = a;
	struct text out = {0};

	if (a.kind == PYTHON_LIST || a.kind == PYTHON_TUPLE) {
		made = python_list(py, a.kind);
		for (size_t i = 0; i < a.list->count + b.list->count && !py->raised; i++)
			python_append(py, made,
				      i < a.list->count ? a.list->items[i]
							: b.list->items[i - a.list->count]);
		return made;
	}
	if (a.text.length + b.text.length > PYTHON_TEXT_MAX)
		return python_raise(py, "MemoryError", "%s", "");
	text_add_words(py->process, &out, "");
	text_add(py->process, &out, a.text);
	text_add(py->process, &out, b.text);
	made.text = text_slice(&out);
	return made;
}

static bool is_sequence(struct python_value v)
{
	return v.kind == PYTHON_TEXT || v.kind == PYTHON_BYTES || v.kind == PYTHON_LIST ||
	       v.kind == PYTHON_TUPLE;
}

/* a - b, a & b, a | b, a ^ b of sets. */
PYTHON_APART static struct python_value sets(struct python *py, struct slice operator,
					     struct python_value a, struct python_value b)
{
	struct python_value made = python_list(py, PYTHON_SET);
	char sign = (char)operator.at[0];

	for (size_t i = 0; i < a.list->count && !py->raised; i++)
		if (sign == '|' ||
		    (python_find(py, b, a.list->items[i]) != SIZE_MAX) == (sign == '&'))
			python_set_add(py, made, a.list->items[i]);
	for (size_t i = 0; (sign == '|' || sign == '^') && i < b.list->count && !py->raised; i++)
		if (sign == '|' || python_find(py, a, b.list->items[i]) == SIZE_MAX)
			python_set_add(py, made, b.list->items[i]);
	return made;
}

struct python_value python_binary(struct python *py, struct slice operator, struct python_value a,
				  struct python_value b)
{
	if (python_is_number(a) && python_is_number(b) && !slice_is(operator, "@")) {
		if (a.kind == PYTHON_FLOAT || b.kind == PYTHON_FLOAT)
			return reals(py, operator, python_number(a), python_number(b));
		a = integers(py, operator, a.integer, b.integer);
		return a;
	}
	if (slice_is(operator, "+") && a.kind == b.kind && is_sequence(a))
		return join(py, a, b);
	if (slice_is(operator, "*") && is_sequence(a) && python_is_number(b) &&
	    b.kind != PYTHON_FLOAT)
		return repeat(py, a, b.integer);
	if (slice_is(operator, "*") && is_sequence(b) && python_is_number(a) &&
	    a.kind != PYTHON_FLOAT)
		return repeat(py, b, a.integer);
	if (slice_is(operator, "*") && (is_sequence(a) || is_sequence(b)) &&
	    a.kind != PYTHON_OPAQUE && b.kind != PYTHON_OPAQUE)
		return python_raise(py, "TypeError",
				    "can't multiply sequence by non-int of type '%s'",
				    python_type_name(is_sequence(a) ? b : a));
	if (slice_is(operator, "%") && (a.kind == PYTHON_TEXT || a.kind == PYTHON_BYTES)) {
		a.text = python_percent(py, a.text, b);
		return a;
	}
	if (a.kind == PYTHON_SET &&
	    b.kind == PYTHON_SET && operator.length == 1 && strchr("-&|^", operator.at[0]))
		return sets(py, operator, a, b);
	if (slice_is(operator, "|") && a.kind == PYTHON_DICT && b.kind == PYTHON_DICT) {
		struct python_value made = python_list(py, PYTHON_DICT);

		for (size_t i = 0; i < a.list->count; i += 2)
			python_dict_set(py, made, a.list->items[i], a.list->items[i + 1]);
		for (size_t i = 0; i < b.list->count; i += 2)
			python_dict_set(py, made, b.list->items[i], b.list->items[i + 1]);
		return made;
	}
	return unsupported(py, operator, a, b);
}

PYTHON_APART static struct python_value binary(struct python *py, const struct python_node *node)
{
	struct python_value a = python_evaluate(py, node->a);
	struct python_value b = python_fails(py) ? a : python_evaluate(py, node->b);

	if (python_fails(py))
		return python_none();
	py->at = node;
	return python_binary(py, node->text, a, b);
}

PYTHON_APART static struct python_value unary(struct python *py, const struct python_node *node)
{
	struct python_value a = python_evaluate(py, node->a);

	if (python_fails(py))
		return python_none();
	if (slice_is(node->text, "not"))
		return python_bool(!python_truth(a));
	if (a.kind == PYTHON_FLOAT && !slice_is(node->text, "~"))
		return slice_is(node->text, "-") ? python_float(-a.real) : a;
	py->at = node;
	if (a.kind == PYTHON_OPAQUE)
		return a;
	if (!python_is_number(a) || (a.kind == PYTHON_FLOAT && slice_is(node->text, "~")))
		return python_raise(py, "TypeError", "bad operand type for unary %.*s: '%s'",
				    (int)node->text.length, (const char *)node->text.at,
				    python_type_name(a));
	if (slice_is(node->text, "-") && a.integer == INT64_MIN)
		return endless(py);
	return python_int(slice_is(node->text, "-")   ? -a.integer
			  : slice_is(node->text, "~") ? ~a.integer
						      : a.integer);
}

bool python_contains(struct python *py, struct python_value in, struct python_value what)
{
	struct python_list *items;

	if (in.kind == PYTHON_TEXT && what.kind != PYTHON_TEXT && what.kind != PYTHON_OPAQUE) {
		(void)python_raise(py, "TypeError",
				   "'in <string>' requires string as left operand, not %s",
				   python_type_name(what));
		return false;
	}
	if ((in.kind == PYTHON_TEXT || in.kind == PYTHON_BYTES) && what.kind == in.kind)
		return what.text.length == 0 || slice_find(in.text, what.text) != SIZE_MAX;
	if (in.kind == PYTHON_DICT || in.kind == PYTHON_SET)
		return python_find(py, in, what) != SIZE_MAX;
	if (in.kind == PYTHON_RANGE && what.kind == PYTHON_INT) {
		int64_t low = in.range[2] > 0 ? in.range[0] : in.range[1] + 1;
		int64_t high = in.range[2] > 0 ? in.range[1] : in.range[0] + 1;

		return what.integer >= low && what.integer < high &&
		       (in.range[2] < 0 ? (uint64_t)in.range[0] - (uint64_t)what.integer
					: (uint64_t)what.integer - (uint64_t)in.range[0]) %
				       (in.range[2] < 0 ? 0 - (uint64_t)in.range[2]
							: (uint64_t)in.range[2]) ==
			       0;
	}
	if (python_is_number(in) || in.kind == PYTHON_NONE) {
		(void)python_raise(py, "TypeError", "argument of type '%s' is not iterable",
				   python_type_name(in));
		return false;
	}
	items = python_items(py, in);
	for (size_t i = 0; i < items->count && !py->raised; i++) {
		if (python_equal(py, items->items[i], what))
			return true;
		process_step(py->process);
	}
	return false;
}

static bool is_same(struct python *py, struct python_value a, struct python_value b)
{
	return a.kind == b.kind &&
	       (a.kind == PYTHON_LIST || a.kind == PYTHON_DICT || a.kind == PYTHON_SET
			? a.list == b.list
			: python_equal(py, a, b));
}

/* Sets are ordered by what they hold. */
static bool set_holds(struct python *py, struct slice operator, struct python_value a,
		      struct python_value b)
{
	struct python_value small = operator.at[0] == '<' ? a : b,
			    large = small.list == a.list ? b : a;

	for (size_t i = 0; i < small.list->count; i++)
		if (python_find(py, large, small.list->items[i]) == SIZE_MAX)
			return false;
	return operator.length == 2 || small.list->count<large.list->count;
}

PYTHON_APART static bool holds(struct python *py, struct slice operator, struct python_value a,
			       struct python_value b)
{
	char name[3] = {0};
	int order;

	if (slice_is(operator, "is"))
		return is_same(py, a, b);
	if (slice_is(operator, "is not"))
		return !is_same(py, a, b);
	if (slice_is(operator, "=="))
		return python_equal(py, a, b);
	if (slice_is(operator, "!="))
		return !python_equal(py, a, b);
	if (slice_is(operator, "in"))
		return python_contains(py, b, a);
	if (slice_is(operator, "not in"))
		return !python_contains(py, b, a);
	if (a.kind == PYTHON_SET && b.kind == PYTHON_SET)
		return set_holds(py, operator, a, b);
	memcpy(name, operator.at, operator.length < 2 ? operator.length : 2);
	if ((a.kind == PYTHON_FLOAT && isnan(a.real)) || (b.kind == PYTHON_FLOAT && isnan(b.real)))
		return false;
	order = python_compare(py, name, a, b);
	if (operator.length == 2 && order == 0)
		return true;
	return operator.at[0] == '<' ? order < 0 : order> 0;
}

PYTHON_APART static struct python_value compare(struct python *py, const struct python_node *node)
{
	struct python_value left = python_evaluate(py, node->a);

	for (size_t i = 0; i < node->count && !python_fails(py); i++) {
		struct python_value right = python_evaluate(py, node->items[i]->a);

		if (python_fails(py))
			break;
		py->at = node;
		if (!holds(py, node->items[i]->text, left, right))
			return python_bool(false);
		left = right;
	}
	return python_bool(true);
}

/* --- parts --- */

/* --- parts --- */

static int64_t bound(struct python *py, const struct python_node *node, int64_t usual,
		     int64_t count)
{
	struct python_value value = node ? python_evaluate(py, node) : python_none();

	if (value.kind == PYTHON_NONE)
		return usual;
	if (value.kind != PYTHON_INT && value.kind != PYTHON_BOOL) {
		(void)python_raise(py, "TypeError",
				   "slice indices must be integers or None or have an __index__ "
				   "method");
		return usual;
	}
	if (value.integer < 0)
		return value.integer < -count ? (usual < 0 ? -1 : 0) : value.integer + count;
	return value.integer > count ? count : value.integer;
}

/* What a slice of a text, a list or a range spans, in order: places of items. */
struct part {
	int64_t from, step, count;
};

static struct part part_of(struct python *py, const struct python_node *node, int64_t count)
{
	struct python_value given = node->c ? python_evaluate(py, node->c) : python_none();
	int64_t step = given.kind == PYTHON_INT ? given.integer : 1, from, to;
	struct part part = {0, 1, 0};

	if (step == 0) {
		(void)python_raise(py, "ValueError", "slice step cannot be zero");
		return part;
	}
	from = bound(py, node->a, step < 0 ? count - 1 : 0, count);
	to = bound(py, node->b, step < 0 ? -1 : count, count);
	if (step < 0 && from >= count)
		from = count - 1;
	/* Steps that leave the list at once need no exact size. */
	step = step > count + 1 ? count + 1 : step < -count - 1 ? -count - 1 : step;
	part = (struct part){from, step, 0};
	if (step > 0 && to > from)
		part.count = (to - from - 1) / step + 1;
	else if (step < 0 && from > to)
		part.count = (from - to - 1) / -step + 1;
	return part;
}

PYTHON_APART static struct python_value slice_text_of(struct python *py, struct python_value of,
						      const struct python_node *node)
{
	bool letters = of.kind == PYTHON_TEXT;
	size_t length = letters ? python_letters(of.text) : of.text.length;
	bool plain = length == of.text.length;
	struct part part = part_of(py, node, (int64_t)length);
	struct text out = {0};

	if (python_fails(py))
		return python_none();
	text_add_words(py->process, &out, "");
	for (int64_t i = 0; i < part.count; i++) {
		size_t letter = (size_t)(part.from + i * part.step), start = letter,
		       end = letter + 1;

		if (part.step == 1 && plain) {
			of.text = slice_of(of.text.at + letter, (size_t)part.count);
			return of;
		}
		if (!plain) {
			start = python_letter_at(of.text, letter);
			end = start + python_letter_at(slice_from(of.text, start), 1);
		}
		text_add(py->process, &out, slice_of(of.text.at + start, end - start));
		process_step(py->process);
	}
	of.text = text_slice(&out);
	return of;
}

PYTHON_APART static struct python_value slice(struct python *py, struct python_value of,
					      const struct python_node *node)
{
	struct python_value made;
	struct python_list *items;
	struct part part;

	if (of.kind == PYTHON_TEXT || of.kind == PYTHON_BYTES)
		return slice_text_of(py, of, node);
	if (of.kind != PYTHON_LIST && of.kind != PYTHON_TUPLE && of.kind != PYTHON_RANGE)
		return python_raise(py, "TypeError",
				    of.kind == PYTHON_DICT ? "unhashable type: 'slice'"
							   : "'%s' object is not subscriptable",
				    python_type_name(of));
	items = python_items(py, of);
	part = part_of(py, node, (int64_t)items->count);
	if (python_fails(py))
		return python_none();
	made = python_list(py, of.kind == PYTHON_TUPLE ? PYTHON_TUPLE : PYTHON_LIST);
	for (int64_t i = 0; i < part.count; i++)
		python_append(py, made, items->items[part.from + i * part.step]);
	return made;
}

PYTHON_APART static struct python_value item_at(struct python *py, struct python_value of,
						int64_t index)
{
	int64_t count = of.kind == PYTHON_BYTES   ? (int64_t)of.text.length
			: of.kind == PYTHON_TEXT  ? (int64_t)python_letters(of.text)
			: of.kind == PYTHON_RANGE ? python_range_count(of.range)
						  : (int64_t)of.list->count;
	int64_t at = index < 0 ? index + count : index;
	size_t start, length;

	if (at < 0 || at >= count)
		return python_raise(py, "IndexError", "%s out of range",
				    of.kind == PYTHON_TEXT    ? "string index"
				    : of.kind == PYTHON_BYTES ? "index"
				    : of.kind == PYTHON_RANGE ? "range object index"
				    : of.kind == PYTHON_TUPLE ? "tuple index"
							      : "list index");
	switch (of.kind) {
	case PYTHON_BYTES:
		return python_int(of.text.at[at]);
	case PYTHON_RANGE:
		return python_int(
			(int64_t)((uint64_t)of.range[0] + (uint64_t)at * (uint64_t)of.range[2]));
	case PYTHON_TEXT:
		start = python_letter_at(of.text, (size_t)at);
		length = python_letter_at(slice_from(of.text, start), 1);
		return python_text(slice_of(of.text.at + start, length));
	default:
		return of.list->items[at];
	}
}

struct python_value python_index(struct python *py, struct python_value of,
				 struct python_value index)
{
	struct slice key;

	if (of.kind == PYTHON_OBJECT &&
	    (of.object->self.kind == PYTHON_DICT || of.object->self.kind == PYTHON_TUPLE))
		of = of.object->self;
	if (of.kind == PYTHON_OPAQUE || of.kind == PYTHON_OBJECT || index.kind == PYTHON_OPAQUE)
		return python_opaque();
	if (of.kind == PYTHON_DICT) {
		struct python_value *found = python_dict_find(py, of, index);

		if (found || py->raised)
			return found ? *found : python_none();
		key = python_repr(py, index);
		return python_raise(py, "KeyError", "%.*s", (int)key.length, (const char *)key.at);
	}
	if (!is_sequence(of) && of.kind != PYTHON_RANGE)
		return python_raise(py, "TypeError", "'%s' object is not subscriptable",
				    python_type_name(of));
	if (index.kind != PYTHON_INT && index.kind != PYTHON_BOOL && of.kind == PYTHON_TEXT)
		return python_raise(py, "TypeError", "string indices must be integers, not '%s'",
				    python_type_name(index));
	if (index.kind != PYTHON_INT && index.kind != PYTHON_BOOL)
		return python_raise(py, "TypeError",
				    "%s indices must be integers or slices, not %s",
				    of.kind == PYTHON_BYTES ? "byte" : python_type_name(of),
				    python_type_name(index));
	return item_at(py, of, index.integer);
}

PYTHON_APART static struct python_value index_of(struct python *py, const struct python_node *node)
{
	struct python_value of = python_evaluate(py, node->a), index;

	if (python_fails(py) || of.kind == PYTHON_OPAQUE)
		return of;
	if (node->b->kind == NODE_SLICE) {
		py->at = node;
		return slice(py, of, node->b);
	}
	index = python_evaluate(py, node->b);
	if (python_fails(py))
		return python_none();
	py->at = node;
	return python_index(py, of, index);
}

struct python_value python_operate(struct python *py, const struct python_node *node)
{
	switch (node->kind) {
	case NODE_UNARY:
		return unary(py, node);
	case NODE_BINARY:
		return binary(py, node);
	case NODE_COMPARE:
		return compare(py, node);
	default:
		return index_of(py, node);
	}
}
