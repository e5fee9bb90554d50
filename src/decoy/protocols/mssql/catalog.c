/* What the server says of itself: databases, principals, settings, properties. */
#include "query.h"

#define COLUMN(text, what, size)                                                     \
	{                                                                            \
		.name = {(const uint8_t *)(text), sizeof(text) - 1}, .kind = (what), \
		.nullable = true, .width = (size)                                    \
	}

const struct catalog_setting catalog_settings[CATALOG_SETTINGS] = {
	{"show advanced options", 0, 1, 0, false},
	{"xp_cmdshell", 0, 1, 0, true},
	{"Ole Automation Procedures", 0, 1, 0, true},
	{"clr enabled", 0, 1, 0, false},
	{"clr strict security", 0, 1, 1, true},
	{"Agent XPs", 0, 1, 0, true},
	{"Ad Hoc Distributed Queries", 0, 1, 0, true},
	{"Database Mail XPs", 0, 1, 0, true},
	{"external scripts enabled", 0, 1, 0, false},
	{"remote access", 0, 1, 1, false},
	{"max server memory (MB)", 128, 2147483647, 2147483647, true},
	{"default trace enabled", 0, 1, 1, true},
};

static struct tds_value text(const char *text)
{
	return (struct tds_value){.kind = TDS_NVARCHAR, .text = slice_text(text)};
}

static struct tds_value number(int64_t number)
{
	return (struct tds_value){.kind = TDS_INT, .number = number};
}

static struct tds_value nothing(void)
{
	return (struct tds_value){.kind = TDS_NULL};
}

static const char *const databases[] = {"master", "tempdb", "model", "msdb"};

static const struct tds_column database_columns[] = {
	COLUMN("name", TDS_NVARCHAR, 128),
	COLUMN("database_id", TDS_INT, 0),
	COLUMN("dbid", TDS_INT, 0),
	COLUMN("create_date", TDS_DATETIME, 0),
	COLUMN("crdate", TDS_DATETIME, 0),
	COLUMN("compatibility_level", TDS_INT, 0),
	COLUMN("state_desc", TDS_NVARCHAR, 60),
	COLUMN("recovery_model_desc", TDS_NVARCHAR, 60),
	COLUMN("is_trustworthy_on", TDS_BIT, 0),
	COLUMN("filename", TDS_NVARCHAR, 260),
};

static struct tds_value database_cell(struct session *session, const struct mssql *mssql,
				      size_t row, size_t column)
{
	/* The system databases carry the date of their makers, tempdb that of the last start. */
	int64_t made = row == 1 ? persona_boot_time(session_persona(session), session_now(session))
				: 1050000000 * SECOND;

	switch (column) {
	case 0:
		return text(databases[row]);
	case 1:
	case 2:
		return number((int64_t)row + 1);
	case 3:
	case 4:
		return (struct tds_value){.kind = TDS_DATETIME, .number = made};
	case 5:
		return number(150);
	case 6:
		return text("ONLINE");
	case 7:
		return text(row == 2 ? "FULL" : "SIMPLE");
	case 8:
		return (struct tds_value){.kind = TDS_BIT, .number = row == 3};
	default:
		return text("C:\\Program Files\\Microsoft SQL Server\\MSSQL15.MSSQLSERVER\\MSSQL\\"
			    "DATA\\master.mdf");
	}
}

static const struct tds_column setting_columns[] = {
	COLUMN("name", TDS_NVARCHAR, 35),  COLUMN("configuration_id", TDS_INT, 0),
	COLUMN("value", TDS_INT, 0),       COLUMN("minimum", TDS_INT, 0),
	COLUMN("maximum", TDS_INT, 0),     COLUMN("value_in_use", TDS_INT, 0),
	COLUMN("is_advanced", TDS_BIT, 0),
};

static struct tds_value setting_cell(struct session *session, const struct mssql *mssql, size_t row,
				     size_t column)
{
	static const int identifiers[CATALOG_SETTINGS] = {518,   16390, 16388, 1562, 1587, 16384,
							  16391, 16386, 1586,  117,  1544, 1568};
	const struct catalog_setting *setting = &catalog_settings[row];
	/* Bits tell of a change from the standard. */
	bool changed = mssql->configured >> row & 1, running = mssql->running >> row & 1;

	switch (column) {
	case 0:
		return text(setting->name);
	case 1:
		return number(identifiers[row]);
	case 2:
		return number(changed ? !setting->standard : setting->standard);
	case 3:
		return number(setting->minimum);
	case 4:
		return number(setting->maximum);
	case 5:
		return number(running ? !setting->standard : setting->standard);
	default:
		return (struct tds_value){.kind = TDS_BIT, .number = setting->advanced};
	}
}

static const char *const logins[] = {"sa",
				     "##MS_PolicyEventProcessingLogin##",
				     "##MS_PolicyTsqlExecutionLogin##",
				     "NT SERVICE\\SQLWriter",
				     "NT SERVICE\\Winmgmt",
				     "NT Service\\MSSQLSERVER",
				     "NT AUTHORITY\\SYSTEM",
				     "NT SERVICE\\SQLSERVERAGENT"};

static const struct tds_column login_columns[] = {
	COLUMN("name", TDS_NVARCHAR, 128),        COLUMN("principal_id", TDS_INT, 0),
	COLUMN("type_desc", TDS_NVARCHAR, 60),    COLUMN("is_disabled", TDS_BIT, 0),
	COLUMN("sysadmin", TDS_INT, 0),           COLUMN("loginname", TDS_NVARCHAR, 128),
	COLUMN("password_hash", TDS_BINARY, 256),
};

static struct tds_value login_cell(struct session *session, const struct mssql *mssql, size_t row,
				   size_t column)
{
	switch (column) {
	case 0:
	case 5:
		return text(logins[row]);
	case 1:
		return number(row ? 256 + (int64_t)row : 1);
	case 2:
		return text(row < 3 ? "SQL_LOGIN" : "WINDOWS_LOGIN");
	case 3:
		return (struct tds_value){.kind = TDS_BIT, .number = row == 1 || row == 2};
	case 4:
		return number(row == 0 || row > 2);
	default:
		return nothing();
	}
}

static const char *const tables[] = {"spt_fallback_db",  "spt_fallback_dev",
				     "spt_fallback_usg", "spt_values",
				     "spt_monitor",      "MSreplication_options"};

static const struct tds_column table_columns[] = {
	COLUMN("name", TDS_NVARCHAR, 128),
	COLUMN("object_id", TDS_INT, 0),
	COLUMN("id", TDS_INT, 0),
	COLUMN("xtype", TDS_NVARCHAR, 2),
	COLUMN("type", TDS_NVARCHAR, 2),
	COLUMN("table_catalog", TDS_NVARCHAR, 128),
	COLUMN("table_schema", TDS_NVARCHAR, 128),
	COLUMN("table_name", TDS_NVARCHAR, 128),
	COLUMN("table_type", TDS_NVARCHAR, 10),
};

static struct tds_value table_cell(struct session *session, const struct mssql *mssql, size_t row,
				   size_t column)
{
	static const int identifiers[] = {117575457,  133575514,  149575571,
					  1803153469, 1787153412, 2107154552};

	switch (column) {
	case 0:
	case 7:
		return text(tables[row]);
	case 1:
	case 2:
		return number(identifiers[row]);
	case 3:
	case 4:
		return text("U");
	case 5:
		return (struct tds_value){.kind = TDS_NVARCHAR, .text = mssql->database};
	case 6:
		return text("dbo");
	default:
		return text("BASE TABLE");
	}
}

#define TABLE(name, columns, rows, cell)                        \
	{                                                       \
		name, columns, ARRAY_COUNT(columns), rows, cell \
	}

static const struct catalog_table catalog[] = {
	TABLE("databases", database_columns, ARRAY_COUNT(databases), database_cell),
	TABLE("sysdatabases", database_columns, ARRAY_COUNT(databases), database_cell),
	TABLE("configurations", setting_columns, CATALOG_SETTINGS, setting_cell),
	TABLE("syslogins", login_columns, ARRAY_COUNT(logins), login_cell),
	TABLE("sql_logins", login_columns, 3, login_cell),
	TABLE("server_principals", login_columns, ARRAY_COUNT(logins), login_cell),
	TABLE("sysobjects", table_columns, ARRAY_COUNT(tables), table_cell),
	TABLE("objects", table_columns, ARRAY_COUNT(tables), table_cell),
	TABLE("tables", table_columns, ARRAY_COUNT(tables), table_cell),
	TABLE("syscolumns", table_columns, 0, table_cell),
	TABLE("columns", table_columns, 0, table_cell),
	TABLE("assemblies", table_columns, 0, table_cell),
	TABLE("procedures", table_columns, 0, table_cell),
	TABLE("sysjobs", table_columns, 0, table_cell),
	TABLE("servers", table_columns, 0, table_cell),
	TABLE("sysservers", table_columns, 0, table_cell),
	TABLE("sysprocesses", table_columns, 0, table_cell),
	TABLE("triggers", table_columns, 0, table_cell),
};

const struct catalog_table *catalog_named(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(catalog); i++) {
		if (slice_is_nocase(name, catalog[i].name))
			return &catalog[i];
	}
	return NULL;
}

/* @@VERSION of the persona, or the text of SQL Server 2019 as its setup leaves it. */
static struct tds_value product(struct query *query)
{
	uint8_t room[512];
	struct writer w = writer_fixed(room, sizeof(room));
	const struct persona *persona = session_persona(query->session);
	const char *whole = persona_text(persona, "mssql.product", NULL);

	if (whole)
		return (struct tds_value){.kind = TDS_NVARCHAR, .text = slice_text(whole)};
	writer_format(&w,
		      "Microsoft SQL Server 2019 (RTM) - %s (X64) \n\tSep 24 2019 13:48:23 "
		      "\n\tCopyright (C) 2019 Microsoft "
		      "Corporation\n\t%s (64-bit) on %s (Hypervisor)\n",
		      mssql_product_version_text(query->session),
		      persona_text(persona, "mssql.edition", "Standard Edition"),
		      persona_text(persona, "mssql.system",
				   "Windows Server 2019 Standard 10.0 <X64> (Build 17763: )"));
	return (struct tds_value){.kind = TDS_NVARCHAR,
				  .text = arena_copy(&query->scratch, writer_slice(&w))};
}

struct tds_value catalog_property(struct query *query, struct slice name)
{
	static const struct {
		const char *name, *text;
		int number;
	} constants[] = {
		{"Edition", "Standard Edition (64-bit)", 0},
		{"ProductLevel", "RTM", 0},
		{"EngineEdition", NULL, 2},
		{"IsClustered", NULL, 0},
		{"IsHadrEnabled", NULL, 0},
		{"IsIntegratedSecurityOnly", NULL, 0},
		{"IsSingleUser", NULL, 0},
		{"IsFullTextInstalled", NULL, 0},
		{"ProductMajorVersion", "15", 0},
		{"Collation", "SQL_Latin1_General_CP1_CI_AS", 0},
		{"LCID", NULL, 1033},
		{"IsXTPSupported", NULL, 1},
		{"IsPolyBaseInstalled", NULL, 0},
		{"ProcessID", NULL, 3912},
		{"@@language", "us_english", 0},
		{"@@servicename", "MSSQLSERVER", 0},
		{"@@trancount", NULL, 0},
		{"@@error", NULL, 0},
		{"@@nestlevel", NULL, 0},
		{"@@max_connections", NULL, 32767},
		{"@@textsize", NULL, 2147483647},
		{"@@lock_timeout", NULL, -1},
		{"@@datefirst", NULL, 7},
		{"@@options", NULL, 5432},
		{"@@microsoftversion", NULL, 251660240},
		{"@@langid", NULL, 0},
		{"@@max_precision", NULL, 38},
		{"@@fetch_status", NULL, -1},
	};

	if (slice_is_nocase(name, "@@version"))
		return product(query);
	if (slice_is_nocase(name, "@@servername") || slice_is_nocase(name, "ServerName") ||
	    slice_is_nocase(name, "MachineName") ||
	    slice_is_nocase(name, "ComputerNamePhysicalNetBIOS"))
		return text(mssql_server_name(query->session));
	if (slice_is_nocase(name, "ProductVersion") || slice_is_nocase(name, "ResourceVersion"))
		return text(mssql_product_version_text(query->session));
	if (slice_is_nocase(name, "@@spid"))
		return number(query->mssql->spid);
	if (slice_is_nocase(name, "@@rowcount"))
		return number(query->rows);
	for (size_t i = 0; i < ARRAY_COUNT(constants); i++) {
		if (slice_is_nocase(name, constants[i].name))
			return constants[i].text ? text(constants[i].text)
						 : number(constants[i].number);
	}
	return nothing();
}
