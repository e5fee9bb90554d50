/* Copies of trees: a child shell takes along what it is to run. */
#include "decoy/machine/shell/tree.h"

static char *copy_text(struct pool *pool, const char *text)
{
	return text ? pool_text(pool, slice_text(text)) : NULL;
}

static struct word *copy_words(struct pool *pool, const struct word *word)
{
	struct word *first = NULL, **tail = &first;

	for (; word; word = word->next) {
		*tail = pool_take(pool, sizeof(**tail));
		**tail = *word;
		(*tail)->text = copy_text(pool, word->text);
		(*tail)->elements = copy_words(pool, word->elements);
		(*tail)->next = NULL;
		tail = &(*tail)->next;
	}
	return first;
}

static struct redirection *copy_redirections(struct pool *pool, const struct redirection *from)
{
	struct redirection *first = NULL, **tail = &first;

	for (; from; from = from->next) {
		*tail = pool_take(pool, sizeof(**tail));
		**tail = *from;
		(*tail)->target.text = copy_text(pool, from->target.text);
		(*tail)->variable = copy_text(pool, from->variable);
		(*tail)->here = copy_text(pool, from->here);
		(*tail)->next = NULL;
		tail = &(*tail)->next;
	}
	return first;
}

static struct node *copy_nodes(struct pool *pool, const struct node *node);

static struct case_item *copy_cases(struct pool *pool, const struct case_item *item)
{
	struct case_item *first = NULL, **tail = &first;

	for (; item; item = item->next) {
		*tail = pool_take(pool, sizeof(**tail));
		**tail = *item;
		(*tail)->patterns = copy_words(pool, item->patterns);
		(*tail)->body = copy_nodes(pool, item->body);
		(*tail)->next = NULL;
		tail = &(*tail)->next;
	}
	return first;
}

static struct node *copy_one(struct pool *pool, const struct node *node)
{
	struct node *copy = pool_take(pool, sizeof(*copy));

	*copy = *node;
	copy->next = NULL;
	copy->words = copy_words(pool, node->words);
	copy->redirections = copy_redirections(pool, node->redirections);
	copy->condition = copy_nodes(pool, node->condition);
	copy->first = copy_nodes(pool, node->first);
	copy->other = NULL;
	copy->cases = copy_cases(pool, node->cases);
	copy->name = copy_text(pool, node->name);
	return copy;
}

struct node *tree_copy(struct pool *pool, const struct node *node)
{
	struct node *first = NULL, **at = &first;

	/* Along `other`, without recursion: there may be thousands of elif. */
	for (; node; node = node->other) {
		*at = copy_one(pool, node);
		at = &(*at)->other;
		if (node->other && node->other->next) {
			*at = copy_nodes(pool, node->other);
			break;
		}
	}
	return first;
}

static struct node *copy_nodes(struct pool *pool, const struct node *node)
{
	struct node *first = NULL, **tail = &first;

	for (; node; node = node->next) {
		*tail = tree_copy(pool, node);
		tail = &(*tail)->next;
	}
	return first;
}
