/* Syntax errors, in each shell's own words. */
#include "decoy/machine/shell/state.h"

/* The source line in which the token stands, for bash's second line. */
static struct slice source_line(const struct lexer *lexer, size_t at)
{
	size_t start = at < lexer->length ? at : lexer->length, end;

	while (start && lexer->text[start - 1] != '\n')
		start--;
	end = start;
	while (end < lexer->length && lexer->text[end] != '\n')
		end++;
	return slice_of(lexer->text + start, end - start);
}

const char *parser_origin(const struct shell *shell)
{
	if (!shell_has(shell, SHELL_BASH) || shell->interactive)
		return shell->evaluated && shell_has(shell, SHELL_BASH) ? "eval: " : NULL;
	if (shell->evaluated)
		return "eval: ";
	return shell->from_string && !shell->sourced ? "-c: " : NULL;
}

static void bash_unexpected(struct parser *parser)
{
	struct shell *shell = parser->shell;
	const struct token *token = &parser->token;
	unsigned line = shell->line;
	struct slice source;
	struct text text = {0};

	shell->line = token->line;
	if (token->kind == TOKEN_END &&
	    (parser->depth || parser->lexer->depth || parser->wants_command || token->start == 0 ||
	     parser->lexer->text[parser->lexer->length - 1] == '\n' || parser->lexer->more)) {
		shell->line = lexer_line(parser->lexer) +
			      (parser->lexer->length &&
			       parser->lexer->text[parser->lexer->length - 1] != '\n');
		message_say(shell, "syntax error: unexpected end of file");
		shell->line = line;
		return;
	}
	text_add_words(shell->process, &text,
		       token->kind == TOKEN_END ? "newline" : lexer_token_words(token));
	message_say(shell, "syntax error near unexpected token `%s'", text.data);
	if (!shell->interactive || shell->evaluated || shell->sourced) {
		source = source_line(parser->lexer, token->start);
		message_say(shell, "`%.*s'", (int)source.length, (const char *)source.at);
	}
	process_give(shell->process, text.data);
	shell->line = line;
}

/* dash: `")" unexpected`, ash: `unexpected ")"`. */
static void almquist_unexpected(struct parser *parser, const char *expected)
{
	struct shell *shell = parser->shell;
	const struct token *token = &parser->token;
	bool dash = shell_has(shell, SHELL_DASH);
	unsigned line = shell->line;
	struct text what = {0};
	const char *quote = "\"";
	const char *words;

	shell->line = lexer_line(parser->lexer);
	if (expected && !strcmp(expected, "for variable")) {
		message_builtin(shell, dash ? "Syntax error: Bad for loop variable"
					    : "syntax error: bad for loop variable");
		shell->line = line;
		return;
	}
	switch (token->kind) {
	case TOKEN_END:
		words = "end of file";
		quote = "";
		break;
	case TOKEN_NEWLINE:
		words = "newline";
		quote = "";
		break;
	case TOKEN_REDIRECTION:
	case TOKEN_NUMBER:
		words = "redirection";
		quote = "";
		break;
	case TOKEN_WORD:
		if (names_is_reserved(shell, token->word.text)) {
			words = token->word.text;
			break;
		}
		words = "word";
		quote = "";
		break;
	default:
		words = lexer_token_words(token);
	}
	if (dash)
		text_format(shell->process, &what, "Syntax error: %s%s%s unexpected", quote, words,
			    quote);
	else
		text_format(shell->process, &what, "syntax error: unexpected %s%s%s", quote, words,
			    quote);
	if (expected) {
		quote = !strcmp(expected, "word") ? "" : "\"";
		text_format(shell->process, &what, " (expecting %s%s%s)", quote, expected, quote);
	}
	message_builtin(shell, "%s", what.data);
	process_give(shell->process, what.data);
	shell->line = line;
}

void *parser_unexpected(struct parser *parser, const char *expected)
{
	if (!parser->have_token)
		parser_peek(parser, LEXER_WORDS);
	if (parser->failed)
		return NULL;
	parser->failed = true;
	if (parser->silent || parser->lexer->interrupted)
		return NULL;
	parser->shell->origin = parser_origin(parser->shell);
	if (parser->token.kind == TOKEN_ERROR) {
		parser->failed = false;
		parser_unterminated(parser);
	} else if (shell_has(parser->shell, SHELL_BASH)) {
		bash_unexpected(parser);
	} else {
		almquist_unexpected(parser, expected);
	}
	parser->shell->origin = NULL;
	return NULL;
}

void parser_unterminated(struct parser *parser)
{
	struct shell *shell = parser->shell;
	unsigned line = shell->line;
	char what = parser->lexer->unterminated;

	if (parser->failed)
		return;
	parser->failed = true;
	if (parser->silent || !what || parser->lexer->interrupted)
		return;
	parser->lexer->unterminated = 0;
	shell->origin = parser_origin(shell);
	if (shell_has(shell, SHELL_BASH)) {
		shell->line = parser->lexer->unterminated_line;
		message_say(shell, "unexpected EOF while looking for matching `%c'",
			    what == 'A' ? ')' : what);
	} else {
		bool dash = shell_has(shell, SHELL_DASH);

		shell->line = lexer_line(parser->lexer);
		switch (what) {
		case '}':
			message_builtin(shell, dash ? "Syntax error: Missing '}'"
						    : "syntax error: missing '}'");
			break;
		case 'A':
			message_builtin(shell, dash ? "Syntax error: Missing '))'"
						    : "syntax error: missing '))'");
			break;
		case '`':
			message_builtin(shell,
					dash ? "Syntax error: EOF in backquote substitution"
					     : "syntax error: EOF in backquote substitution");
			break;
		case ')':
			message_builtin(shell,
					dash ? "Syntax error: end of file unexpected (expecting "
					       "\")\")"
					     : "syntax error: unexpected end of file (expecting "
					       "\")\")");
			break;
		default:
			message_builtin(shell, dash ? "Syntax error: Unterminated quoted string"
						    : "syntax error: unterminated quoted string");
		}
	}
	shell->origin = NULL;
	shell->line = line;
}
