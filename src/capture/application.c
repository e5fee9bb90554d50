/* The registry of readers, and the names of applications, buffers and facts. */
#include "capture/application.h"

#define READER(symbol) extern const struct application application_##symbol;
#include "capture/application/registry.def"
#undef READER

const struct application *const applications[] = {
#define READER(symbol) &application_##symbol,
#include "capture/application/registry.def"
#undef READER
	NULL};

const struct application_description application_descriptions[APPLICATION_COUNT] = {
#define APPLICATION(symbol, name, title) [APPLICATION_##symbol] = {name, title},
#include "capture/applications.def"
#undef APPLICATION
};

const struct buffer_description buffer_descriptions[BUFFER_COUNT] = {
#define BUFFER(symbol, name, application, sides) \
	[BUFFER_##symbol] = {name, APPLICATION_##application, sides},
#include "capture/buffers.def"
#undef BUFFER
};

static const char *const fact_names[FACT_COUNT] = {
#define FACT(symbol, name, application) [FACT_##symbol] = name,
#include "capture/facts.def"
#undef FACT
};

const struct application *application_of(enum application_id id)
{
	for (size_t i = 0; applications[i]; i++)
		if (applications[i]->id == id)
			return applications[i];
	return NULL;
}

enum buffer_id buffer_named(struct slice name)
{
	enum buffer_id id = 0;

	while (id < BUFFER_COUNT && !slice_is(name, buffer_descriptions[id].name))
		id++;
	return id;
}

enum fact_id fact_named(struct slice name)
{
	enum fact_id id = 0;

	while (id < FACT_COUNT && !slice_is(name, fact_names[id]))
		id++;
	return id;
}

enum application_id application_named(struct slice name)
{
	enum application_id id = APPLICATION_COUNT - 1;

	while (id > APPLICATION_NONE && !slice_is(name, application_descriptions[id].name))
		id--;
	return id;
}
