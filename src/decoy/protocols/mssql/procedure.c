/* Stored procedures that intruders call, and the marks and evidence in what they send. */
#include "query.h"

#define BLOB_DIGITS_MIN 128 /* 64 bytes: a shorter constant is no program */
#define DOWNLOADS_MAX   8   /* addresses noted of one batch */

/* Words that mark a trick; the tag is the word unless another is given. */
static const struct {
	const char *word, *tag;
} marks[] = {
	{"xp_cmdshell", NULL},
	{"sp_oacreate", NULL},
	{"sp_oamethod", NULL},
	{"assembly", "clr-assembly"},
	{"sp_addlogin", NULL},
	{"sp_addsrvrolemember", NULL},
	{"login", "login-change"},
	{"sp_add_job", NULL},
	{"sp_add_jobstep", NULL},
	{"sp_start_job", NULL},
	{"xp_regwrite", NULL},
	{"xp_regread", NULL},
	{"xp_regdeletekey", NULL},
	{"xp_dirtree", NULL},
	{"xp_fileexist", NULL},
	{"xp_subdirs", NULL},
	{"openrowset", NULL},
	{"bulk", "bulk-read"},
	{"sp_configure", NULL},
	{"sp_addlinkedserver", NULL},
	{"sp_execute_external_script", NULL},
	{"xp_servicecontrol", NULL},
	{"sp_password", NULL},
	{"waitfor", NULL},
	{"backup", NULL},
	{"sp_makewebtask", NULL},
	{"sp_procoption", NULL},
	{"sp_dropextendedproc", NULL},
	{"sp_addextendedproc", NULL},
	{"trigger", NULL},
};

static void keep_blob(struct query *query, struct slice digits, struct slice name)
{
	uint8_t *bytes = arena_take(&query->scratch, digits.length / 2 + 1);
	int length;

	if (!bytes)
		return;
	length = slice_unhex(slice_first(digits, digits.length & ~(size_t)1), bytes,
			     digits.length / 2);
	if (length > 0)
		session_keep(query->session, EVIDENCE_PAYLOAD, "sql",
			     slice_first(name, MSSQL_NAME_MAX), slice_of(bytes, (size_t)length));
}

static void add_tag(struct slice *tags, size_t *count, size_t capacity, const char *tag)
{
	for (size_t i = 0; i < *count; i++) {
		if (slice_is(tags[i], tag))
			return;
	}
	if (*count < capacity)
		tags[(*count)++] = slice_text(tag);
}

size_t procedure_tags(struct query *query, struct slice sql, struct slice *tags, size_t capacity)
{
	struct sql_lexer lexer = sql_lexer_of(sql);
	struct slice name = slice_of(NULL, 0);
	size_t count = 0;

	for (; lexer.now.kind != SQL_END; sql_advance(&lexer)) {
		struct slice word = lexer.now.text;
		if (lexer.now.kind == SQL_WORD) {
			/* What a CREATE ASSEMBLY or a procedure is called names the blob behind it.
			 */
			if (!sql_is(&lexer, "from") && !sql_is(&lexer, "with"))
				name = word;
			for (size_t i = 0; i < ARRAY_COUNT(marks); i++) {
				if (slice_is_nocase(word, marks[i].word))
					add_tag(tags, &count, capacity,
						marks[i].tag ? marks[i].tag : marks[i].word);
			}
		} else if (lexer.now.kind == SQL_HEX && word.length >= BLOB_DIGITS_MIN) {
			keep_blob(query, word, name);
			add_tag(tags, &count, capacity, "hex-payload");
		} else if ((lexer.now.kind == SQL_STRING || lexer.now.kind == SQL_WIDE) &&
			   slice_starts(word, "\\\\")) {
			add_tag(tags, &count, capacity, "unc-path");
		}
	}
	return count;
}

/* --- xp_cmdshell --- */

static void note_downloads(struct query *query, struct slice command)
{
	static const char *const schemes[] = {"http://", "https://", "ftp://"};

	for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
		struct slice rest = command;
		size_t at;
		for (unsigned k = 0;
		     k < DOWNLOADS_MAX && (at = slice_find_nocase(rest, schemes[i])) != SIZE_MAX;
		     k++) {
			size_t length = 0;
			rest = slice_from(rest, at);
			while (length < rest.length && rest.at[length] > ' ' &&
			       !memchr("'\"()<>|;,^", rest.at[length], 10))
				length++;
			struct event *event = session_event(query->session, "download.attempt");
			event_set_text(event, FIELD_URL_ORIGINAL, slice_first(rest, length));
			session_report(query->session, event);
			rest = slice_from(rest, length);
		}
	}
}

static const struct tds_column output_column = {.name = {(const uint8_t *)"output", 6},
						.kind = TDS_NVARCHAR,
						.nullable = true,
						.width = 255};

void procedure_output(struct query *query, struct slice command)
{
	struct writer text = writer_growing((size_t)64 * 1024);
	struct tds_value value = {.kind = TDS_NVARCHAR};
	struct slice rest, line;
	uint64_t rows = 0;

	if (command.length > 0)
		shell_run(query->session, command, &text);
	tds_columns(query->out, &output_column, 1);
	for (rest = writer_slice(&text); slice_next(&rest, '\n', &line); rows++) {
		value.kind = line.length > 0 ? TDS_NVARCHAR : TDS_NULL;
		value.text = line;
		tds_row(query->out, &output_column, &value, 1);
	}
	/* The output always ends with a row of NULL. */
	if (command.length > 0) {
		value.kind = TDS_NULL;
		tds_row(query->out, &output_column, &value, 1);
		rows++;
	}
	writer_free(&text);
	query_done(query, TDS_DONE_COUNT, TDS_COMMAND_SELECT, rows);
	query->rows = (int64_t)rows;
}

static void blocked(struct query *query, const char *procedure, const char *component)
{
	uint8_t room[512];
	struct writer w = writer_fixed(room, sizeof(room));

	writer_format(
		&w,
		"SQL Server blocked access to procedure 'sys.%s' of component '%s' because this "
		"component is turned off as part of the security configuration for this server. A "
		"system administrator can enable the use of '%s' by using sp_configure. For more "
		"information about enabling '%s', search for '%s' in SQL Server Books Online.",
		procedure, component, component, component, component);
	query_error(query, 15281, 1, 16, "", writer_slice(&w), "");
}

static struct slice text_of(struct query *query, const struct query_argument *arguments,
			    size_t count, size_t index)
{
	return index < count ? expression_text(query, &arguments[index].value) : slice_of(NULL, 0);
}

static void xp_cmdshell(struct query *query, const struct query_argument *arguments, size_t count)
{
	static const struct slice tag = {(const uint8_t *)"xp_cmdshell", 11};
	struct slice command = text_of(query, arguments, count, 0);
	struct event *event = session_event(query->session, "command.input");

	event_set_text(event, FIELD_COMMAND, command);
	event_set_texts(event, FIELD_TAGS, &tag, 1);
	session_report(query->session, event);
	note_downloads(query, command);
	if (!query->mssql->administrator) {
		query_error(
			query, 229, 5, 14,
			"The EXECUTE permission was denied on the object 'xp_cmdshell', database "
			"'mssqlsystemresource', schema 'sys'.",
			slice_of(NULL, 0), "");
		return;
	}
	if (!(query->mssql->running >> CATALOG_XP_CMDSHELL & 1)) {
		blocked(query, "xp_cmdshell", "xp_cmdshell");
		return;
	}
	session_delay(query->session,
		      30 * MILLISECOND + (int64_t)session_random_number(query->session, 60000));
	procedure_output(query, command);
}

/* sp_OACreate and its kin: they answer with nothing but a number in a variable. */
static void ole(struct query *query, const struct query_argument *arguments, size_t count)
{
	struct tds_value handle = {.kind = TDS_INT, .number = 16711422};

	if (!(query->mssql->running >> CATALOG_OLE & 1)) {
		blocked(query, "sp_OACreate", "Ole Automation Procedures");
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct slice text = text_of(query, arguments, count, i);
		if (arguments[i].variable.length > 0)
			query_set(query, arguments[i].variable, &handle);
		else
			note_downloads(query, text);
	}
	/* sp_OAMethod @shell, 'run', NULL, 'command' */
	if (count >= 3 && (slice_is_nocase(text_of(query, arguments, count, 1), "run") ||
			   slice_is_nocase(text_of(query, arguments, count, 1), "exec"))) {
		static const struct slice tag = {(const uint8_t *)"sp_oamethod", 11};
		struct event *event = session_event(query->session, "command.input");
		event_set_text(event, FIELD_COMMAND,
			       text_of(query, arguments, count, count > 3 ? 3 : 2));
		event_set_texts(event, FIELD_TAGS, &tag, 1);
		session_report(query->session, event);
	}
}

/* --- sp_configure --- */

static void show_setting(struct query *query, const struct query_argument *arguments, size_t count)
{
	static const struct tds_column columns[] = {
		{.name = {(const uint8_t *)"name", 4},
		 .kind = TDS_NVARCHAR,
		 .nullable = true,
		 .width = 35},
		{.name = {(const uint8_t *)"minimum", 7}, .kind = TDS_INT, .nullable = true},
		{.name = {(const uint8_t *)"maximum", 7}, .kind = TDS_INT, .nullable = true},
		{.name = {(const uint8_t *)"config_value", 12}, .kind = TDS_INT, .nullable = true},
		{.name = {(const uint8_t *)"run_value", 9}, .kind = TDS_INT, .nullable = true},
	};
	bool advanced = query->mssql->running & 1;
	struct slice wanted = text_of(query, arguments, count, 0);
	uint64_t rows = 0;

	tds_columns(query->out, columns, ARRAY_COUNT(columns));
	for (size_t i = 0; i < CATALOG_SETTINGS; i++) {
		const struct catalog_setting *s = &catalog_settings[i];
		bool on = query->mssql->configured >> i & 1, runs = query->mssql->running >> i & 1;
		struct tds_value values[] = {
			{.kind = TDS_NVARCHAR, .text = slice_text(s->name)},
			{.kind = TDS_INT, .number = s->minimum},
			{.kind = TDS_INT, .number = s->maximum},
			{.kind = TDS_INT, .number = on ? !s->standard : s->standard},
			{.kind = TDS_INT, .number = runs ? !s->standard : s->standard},
		};
		if ((s->advanced && !advanced) || (count > 0 && !slice_is_nocase(wanted, s->name)))
			continue;
		tds_row(query->out, columns, values, ARRAY_COUNT(values));
		rows++;
	}
	query_done(query, TDS_DONE_COUNT, TDS_COMMAND_SELECT, rows);
}

static void remember_settings(struct query *query)
{
	uint16_t *memory = session_memory(query->session, 2 * sizeof(uint16_t));

	if (memory) {
		memory[0] = query->mssql->configured;
		memory[1] = query->mssql->running;
	}
}

static void sp_configure(struct query *query, const struct query_argument *arguments, size_t count)
{
	struct slice name = text_of(query, arguments, count, 0);
	struct mssql *mssql = query->mssql;
	uint8_t room[256];
	struct writer w = writer_fixed(room, sizeof(room));
	size_t i = 0;

	while (i < CATALOG_SETTINGS &&
	       !(name.length > 0 && slice_starts_nocase(slice_text(catalog_settings[i].name),
							arena_text(&query->scratch, name) ?: "\n")))
		i++;
	if (count > 0 &&
	    (i == CATALOG_SETTINGS || (catalog_settings[i].advanced && !(mssql->running & 1)))) {
		query_error(query, 15123, 1, 16, "The configuration option '", name,
			    "' does not exist, or it may be an advanced option.");
		return;
	}
	if (count < 2) {
		show_setting(query, arguments, count);
		return;
	}
	struct slice wish = text_of(query, arguments, count, 1);
	int standard = catalog_settings[i].standard;
	bool changed = mssql->configured >> i & 1, wanted = !slice_is(wish, standard ? "1" : "0");
	writer_format(&w, "Configuration option '%s' changed from %d to ", catalog_settings[i].name,
		      changed ? !standard : standard);
	writer_bytes(&w, slice_first(wish, 20));
	writer_text(&w, ". Run the RECONFIGURE statement to install.");
	mssql->configured = (uint16_t)((mssql->configured & ~(1U << i)) | (unsigned)wanted << i);
	remember_settings(query);
	query_info(query, 15457, "sp_configure", 185, writer_slice(&w));
}

/* --- the table --- */

static void quiet(struct query *query, const struct query_argument *arguments, size_t count)
{
}

static void no_rows(struct query *query, const struct query_argument *arguments, size_t count)
{
	static const struct tds_column columns[] = {
		{.name = {(const uint8_t *)"subdirectory", 12},
		 .kind = TDS_NVARCHAR,
		 .nullable = true,
		 .width = 512},
		{.name = {(const uint8_t *)"depth", 5}, .kind = TDS_INT, .nullable = true},
	};

	tds_columns(query->out, columns, ARRAY_COUNT(columns));
	query_done(query, TDS_DONE_COUNT, TDS_COMMAND_SELECT, 0);
}

static void run_text(struct query *query, const struct query_argument *arguments, size_t count)
{
	query_run(query, text_of(query, arguments, count, 0));
}

static const struct {
	const char *name;
	void (*run)(struct query *query, const struct query_argument *arguments, size_t count);
} procedures[] = {
	{"xp_cmdshell", xp_cmdshell},
	{"sp_configure", sp_configure},
	{"sp_executesql", run_text},
	{"sp_oacreate", ole},
	{"sp_oamethod", ole},
	{"sp_oagetproperty", ole},
	{"sp_oasetproperty", ole},
	{"sp_oadestroy", ole},
	{"sp_oageterrorinfo", ole},
	{"xp_dirtree", no_rows},
	{"xp_subdirs", no_rows},
	{"xp_fileexist", no_rows},
	{"xp_regwrite", quiet},
	{"xp_regread", quiet},
	{"xp_regdeletekey", quiet},
	{"xp_regdeletevalue", quiet},
	{"sp_addlogin", quiet},
	{"sp_addsrvrolemember", quiet},
	{"sp_dropsrvrolemember", quiet},
	{"sp_droplogin", quiet},
	{"sp_password", quiet},
	{"sp_grantlogin", quiet},
	{"sp_adduser", quiet},
	{"sp_addrolemember", quiet},
	{"sp_add_job", quiet},
	{"sp_add_jobstep", quiet},
	{"sp_add_jobserver", quiet},
	{"sp_start_job", quiet},
	{"sp_delete_job", quiet},
	{"sp_add_jobschedule", quiet},
	{"sp_stop_job", quiet},
	{"sp_update_job", quiet},
	{"sp_addextendedproc", quiet},
	{"sp_dropextendedproc", quiet},
	{"sp_addlinkedserver", quiet},
	{"sp_procoption", quiet},
	{"xp_servicecontrol", quiet},
	{"sp_helpdb", quiet},
	{"sp_who", quiet},
	{"sp_unprepare", quiet},
	{"sp_reset_connection", quiet},
	{"sp_add_trusted_assembly", quiet},
	{"sp_dropserver", quiet},
	{"sp_dboption", quiet},
	{"xp_create_subdir", quiet},
	{"xp_delete_file", quiet},
	{"sp_execute_external_script", quiet},
	{"sp_tables", quiet},
	{"sp_droprolemember", quiet},
	{"sp_help_job", quiet},
	{"xp_msver", quiet},
	{"sp_cursorclose", quiet},
	{"xp_fixeddrives", quiet},
	{"sp_databases", quiet},
};

void procedure_run(struct query *query, struct slice written, struct slice name,
		   const struct query_argument *arguments, size_t count)
{
	for (size_t i = 0; i < ARRAY_COUNT(procedures); i++) {
		if (!slice_is_nocase(name, procedures[i].name))
			continue;
		bool before = query->in_procedure;
		query->in_procedure = true;
		procedures[i].run(query, arguments, count);
		query->in_procedure = before;
		if (!before) {
			tds_return_status(query->out, query->stopped ? 1 : 0);
			tds_done(query->out, TDS_TOKEN_DONEPROC, 0, TDS_COMMAND_EXECUTE, 0);
		}
		return;
	}
	query_error(query, 2812, 62, 16, "Could not find stored procedure '", written, "'.");
}
