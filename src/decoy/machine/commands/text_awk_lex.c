/* awk's words. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/commands/text_awk.h"

static const struct {
	const char *word;
	int token, operation;
} words[] = {
	{"BEGIN", AWK_TOKEN_BEGIN},
	{"END", AWK_TOKEN_END_RULE},
	{"function", AWK_TOKEN_FUNCTION},
	{"func", AWK_TOKEN_FUNCTION},
	{"if", AWK_TOKEN_IF},
	{"else", AWK_TOKEN_ELSE},
	{"while", AWK_TOKEN_WHILE},
	{"for", AWK_TOKEN_FOR},
	{"do", AWK_TOKEN_DO},
	{"break", AWK_TOKEN_BREAK},
	{"continue", AWK_TOKEN_CONTINUE},
	{"next", AWK_TOKEN_NEXT},
	{"nextfile", AWK_TOKEN_NEXT_FILE},
	{"exit", AWK_TOKEN_EXIT},
	{"return", AWK_TOKEN_RETURN},
	{"delete", AWK_TOKEN_DELETE},
	{"in", AWK_TOKEN_IN},
	{"print", AWK_TOKEN_PRINT},
	{"printf", AWK_TOKEN_PRINTF},
	{"getline", AWK_TOKEN_GETLINE},
	{"length", AWK_TOKEN_BUILTIN, AWK_LENGTH},
	{"substr", AWK_TOKEN_BUILTIN, AWK_SUBSTR},
	{"index", AWK_TOKEN_BUILTIN, AWK_INDEX},
	{"split", AWK_TOKEN_BUILTIN, AWK_SPLIT},
	{"sub", AWK_TOKEN_BUILTIN, AWK_SUB},
	{"gsub", AWK_TOKEN_BUILTIN, AWK_GSUB},
	{"match", AWK_TOKEN_BUILTIN, AWK_MATCH},
	{"sprintf", AWK_TOKEN_BUILTIN, AWK_SPRINTF},
	{"sin", AWK_TOKEN_BUILTIN, AWK_SIN},
	{"cos", AWK_TOKEN_BUILTIN, AWK_COS},
	{"atan2", AWK_TOKEN_BUILTIN, AWK_ATAN2},
	{"exp", AWK_TOKEN_BUILTIN, AWK_EXP},
	{"log", AWK_TOKEN_BUILTIN, AWK_LOG},
	{"sqrt", AWK_TOKEN_BUILTIN, AWK_SQRT},
	{"int", AWK_TOKEN_BUILTIN, AWK_INT},
	{"rand", AWK_TOKEN_BUILTIN, AWK_RAND},
	{"srand", AWK_TOKEN_BUILTIN, AWK_SRAND},
	{"tolower", AWK_TOKEN_BUILTIN, AWK_TOLOWER},
	{"toupper", AWK_TOKEN_BUILTIN, AWK_TOUPPER},
	{"close", AWK_TOKEN_BUILTIN, AWK_CLOSE},
	{"system", AWK_TOKEN_BUILTIN, AWK_SYSTEM},
	{"fflush", AWK_TOKEN_BUILTIN, AWK_FFLUSH},
};

static const struct {
	const char text[4];
	int token, operation;
} marks[] = {
	{"&&", AWK_TOKEN_AND},           {"||", AWK_TOKEN_OR},
	{"!~", AWK_TOKEN_NOT_MATCH},     {"==", AWK_TOKEN_EQUAL},
	{"!=", AWK_TOKEN_NOT_EQUAL},     {"<=", AWK_TOKEN_LESS_EQUAL},
	{">=", AWK_TOKEN_GREATER_EQUAL}, {"++", AWK_TOKEN_INCREMENT},
	{"--", AWK_TOKEN_DECREMENT},     {">>", AWK_TOKEN_APPEND},
	{"+=", AWK_TOKEN_ASSIGN, '+'},   {"-=", AWK_TOKEN_ASSIGN, '-'},
	{"*=", AWK_TOKEN_ASSIGN, '*'},   {"/=", AWK_TOKEN_ASSIGN, '/'},
	{"%=", AWK_TOKEN_ASSIGN, '%'},   {"^=", AWK_TOKEN_ASSIGN, '^'},
	{"~", AWK_TOKEN_MATCH},          {"=", AWK_TOKEN_ASSIGN, '='},
};

void awk_lex_start(struct awk *awk, struct slice text)
{
	awk->at = process_copy_slice(awk->process, text);
	awk->end = awk->at + text.length;
	awk->line = 1;
	awk->token = '\n';
	awk_next(awk);
}

static void skip_blanks(struct awk *awk)
{
	while (awk->at < awk->end) {
		if (*awk->at == ' ' || *awk->at == '\t' || *awk->at == '\r')
			awk->at++;
		else if (*awk->at == '\\' && awk->at + 1 < awk->end && awk->at[1] == '\n') {
			awk->at += 2;
			awk->line++;
		} else if (*awk->at == '\\' && awk->at + 2 < awk->end && awk->at[1] == '\r' &&
			   awk->at[2] == '\n') {
			awk->at += 3;
			awk->line++;
		} else if (*awk->at == '#') {
			while (awk->at < awk->end && *awk->at != '\n')
				awk->at++;
		} else
			return;
	}
}

void awk_unescape(struct awk *awk, struct slice text, struct text *out)
{
	for (size_t i = 0; i < text.length; i++) {
		static const char letters[] = "\"\\abfnrtv", bytes[] = "\"\\\a\b\f\n\r\t\v";
		const char *found;
		unsigned value = 0, digits = 0;

		if (text.at[i] != '\\' || i + 1 == text.length) {
			text_add_byte(awk->process, out, text.at[i]);
			continue;
		}
		i++;
		found = text.at[i] ? strchr(letters, text.at[i]) : NULL;
		if (found) {
			text_add_byte(awk->process, out, (uint8_t)bytes[found - letters]);
			continue;
		}
		while (digits < 3 && i < text.length && text.at[i] >= '0' && text.at[i] <= '7') {
			value = value * 8 + (unsigned)(text.at[i++] - '0');
			digits++;
		}
		if (digits > 0) {
			text_add_byte(awk->process, out, (uint8_t)value);
			i--;
			continue;
		}
		if (text.at[i] == '\n')
			continue;
		text_add_byte(awk->process, out, '\\');
		text_add_byte(awk->process, out, text.at[i]);
	}
	if (!out->data)
		text_add_words(awk->process, out, "");
}

static void read_string(struct awk *awk)
{
	const char *start = ++awk->at;

	while (awk->at < awk->end && *awk->at != '"') {
		if (*awk->at == '\\' && awk->at + 1 < awk->end)
			awk->at++;
		else if (*awk->at == '\n') {
			process_error(awk->process,
				      "%s: line %u: runaway string constant \"%.*s ...\n",
				      awk->process->argv[0], awk->line,
				      (int)(awk->at - start > 10 ? 10 : awk->at - start), start);
			process_exit(awk->process, 2);
		}
		awk->at++;
	}
	if (awk->at >= awk->end) {
		process_error(awk->process, "%s: line %u: runaway string constant \"%.*s ...\n",
			      awk->process->argv[0], awk->line,
			      (int)(awk->end - start > 10 ? 10 : awk->end - start), start);
		process_exit(awk->process, 2);
	}
	awk->word = (struct text){0};
	awk_unescape(awk, slice_of(start, (size_t)(awk->at - start)), &awk->word);
	awk->at++;
	awk->token = AWK_TOKEN_STRING;
}

void awk_read_regex(struct awk *awk)
{
	const char *start = awk->token_start + 1;
	bool bracket = false;

	awk->at = start;
	awk->word = (struct text){0};
	text_add_words(awk->process, &awk->word, "");
	for (; awk->at < awk->end && *awk->at != '\n'; awk->at++) {
		if (*awk->at == '/' && !bracket) {
			awk->at++;
			awk->token = AWK_TOKEN_REGEX;
			return;
		}
		if (*awk->at == '\\' && awk->at + 1 < awk->end) {
			awk->at++;
			if (*awk->at != '/')
				text_add_byte(awk->process, &awk->word, '\\');
		} else if (*awk->at == '[' && !bracket) {
			bracket = true;
			text_add_byte(awk->process, &awk->word, '[');
			if (awk->at + 1 < awk->end && awk->at[1] == '^')
				text_add_byte(awk->process, &awk->word, (uint8_t) * ++awk->at);
			if (awk->at + 1 < awk->end && awk->at[1] == ']')
				text_add_byte(awk->process, &awk->word, (uint8_t) * ++awk->at);
			continue;
		} else if (*awk->at == ']')
			bracket = false;
		text_add_byte(awk->process, &awk->word, (uint8_t)*awk->at);
	}
	process_error(awk->process, "%s: line %u: runaway regular expression /%.10s ...\n",
		      awk->process->argv[0], awk->line, awk->word.data);
	process_exit(awk->process, 2);
}

static void read_word(struct awk *awk)
{
	const char *start = awk->at;

	while (awk->at < awk->end && (isalnum((unsigned char)*awk->at) || *awk->at == '_'))
		awk->at++;
	awk->word = (struct text){0};
	text_add(awk->process, &awk->word, slice_of(start, (size_t)(awk->at - start)));
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strcmp(words[i].word, awk->word.data) == 0) {
			awk->token = words[i].token;
			awk->operation = words[i].operation;
			return;
		}
	}
	awk->token = awk->at < awk->end && *awk->at == '(' ? AWK_TOKEN_CALL_NAME : AWK_TOKEN_NAME;
}

static void read_number(struct awk *awk)
{
	char *end;

	awk->number = strtod(awk->at, &end);
	if (end == awk->at)
		end++;
	awk->at = end;
	awk->token = AWK_TOKEN_NUMBER;
}

void awk_next(struct awk *awk)
{
	size_t left;

	awk->previous = awk->token;
	skip_blanks(awk);
	process_step(awk->process);
	awk->token_start = awk->at;
	if (awk->at >= awk->end) {
		awk->token = AWK_TOKEN_END;
		return;
	}
	left = (size_t)(awk->end - awk->at);
	if (*awk->at == '\n') {
		awk->line++;
		awk->token = '\n';
		awk->at++;
		return;
	}
	if (*awk->at == '"') {
		read_string(awk);
		return;
	}
	if (isalpha((unsigned char)*awk->at) || *awk->at == '_') {
		read_word(awk);
		return;
	}
	if (isdigit((unsigned char)*awk->at) ||
	    (*awk->at == '.' && left > 1 && isdigit((unsigned char)awk->at[1]))) {
		read_number(awk);
		return;
	}
	for (size_t i = 0; i < ARRAY_COUNT(marks); i++) {
		size_t length = strlen(marks[i].text);

		if (length <= left && memcmp(awk->at, marks[i].text, length) == 0) {
			awk->at += length;
			awk->token = marks[i].token;
			awk->operation = marks[i].operation;
			return;
		}
	}
	awk->token = (unsigned char)*awk->at++;
}

unsigned awk_intern(struct awk *awk, struct awk_names *names, const char *name)
{
	for (unsigned i = 0; i < names->count; i++) {
		if (strcmp(names->names[i], name) == 0)
			return i;
	}
	if (names->count == names->capacity) {
		names->capacity = names->capacity * 2 + 16;
		names->names = process_retake(awk->process, names->names,
					      names->capacity * sizeof(*names->names));
	}
	names->names[names->count] = process_copy_text(awk->process, name);
	return names->count++;
}
