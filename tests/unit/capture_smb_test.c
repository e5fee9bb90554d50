/* SMB 1 and 2 for the rules: trees, users, files, calls through pipes. */
#include "capture_reader.h"

static const char *const all[] = {"smb.share",          "smb.named_pipe",   "smb.ntlmssp_user",
				  "smb.ntlmssp_domain", "file.name",        "file.data",
				  "dce_stub_data",      "dcerpc.interface", NULL};

struct script {
	struct play_step steps[16];
	size_t count;
	uint8_t room[16384];
	struct writer w;
};

static void start(struct script *s)
{
	s->count = 0;
	s->w = writer_fixed(s->room, sizeof(s->room));
}

/* What was written since `from` is said by that side, with its NetBIOS header in front. */
static void say(struct script *s, enum direction direction, size_t from)
{
	size_t length = s->w.length - from - 4;

	assert_false(s->w.failed);
	s->room[from + 2] = (uint8_t)(length >> 8);
	s->room[from + 3] = (uint8_t)length;
	s->steps[s->count++] =
		(struct play_step){direction, (const char *)s->room + from, length + 4, 0};
}

static void put_wide(struct writer *w, const char *text)
{
	for (; *text; text++)
		writer_u16le(w, (uint8_t)*text);
}

static void put_zeros(struct writer *w, size_t count)
{
	while (count--)
		writer_u8(w, 0);
}

static size_t smb2(struct script *s, uint16_t command, bool response, uint64_t message)
{
	size_t from = s->w.length;

	put_zeros(&s->w, 4);
	writer_text(&s->w, "\xfeSMB");
	writer_u16le(&s->w, 64);
	writer_u16le(&s->w, 0);
	writer_u32le(&s->w, 0);
	writer_u16le(&s->w, command);
	writer_u16le(&s->w, 1);
	writer_u32le(&s->w, response);
	writer_u32le(&s->w, 0);
	writer_u64le(&s->w, message);
	put_zeros(&s->w, 32);
	return from;
}

static void put_file_id(struct writer *w)
{
	writer_u64le(w, 7);
	writer_u64le(w, 9);
}

static void put_ntlmssp(struct writer *w)
{
	writer_bytes(w, SLICE("NTLMSSP\0"));
	writer_u32le(w, 3);
	put_zeros(w, 16);
	writer_u16le(w, 6); /* domain */
	writer_u16le(w, 6);
	writer_u32le(w, 64);
	writer_u16le(w, 8); /* user */
	writer_u16le(w, 8);
	writer_u32le(w, 70);
	put_zeros(w, 16);
	writer_u32le(w, 1);
	put_wide(w, "DOM");
	put_wide(w, "root");
}

static void a_session_of_version_2(void **state)
{
	struct script s;
	size_t from;

	start(&s);
	from = smb2(&s, 1, false, 1); /* session setup */
	put_zeros(&s.w, 12);
	writer_u16le(&s.w, 64 + 24 + 3);
	writer_u16le(&s.w, 78);
	put_zeros(&s.w, 8);
	writer_text(&s.w, "pad");
	put_ntlmssp(&s.w);
	say(&s, TO_SERVER, from);
	from = smb2(&s, 3, false, 2); /* tree connect */
	writer_u32le(&s.w, 9);
	writer_u16le(&s.w, 64 + 8);
	writer_u16le(&s.w, 14);
	put_wide(&s.w, "\\\\h\\dat");
	say(&s, TO_SERVER, from);
	from = smb2(&s, 3, false, 3);
	writer_u32le(&s.w, 9);
	writer_u16le(&s.w, 64 + 8);
	writer_u16le(&s.w, 16);
	put_wide(&s.w, "\\\\h\\ipc$");
	say(&s, TO_SERVER, from);
	play_check(APPLICATION_SMB, TRANSPORT_TCP, all, s.steps, s.count,
		   "> 0 smb.ntlmssp_domain=DOM\n> 0 smb.ntlmssp_user=root\n"
		   "> 0 smb.version:2\n> 0 smb.command:1\n"
		   "> 1 smb.share=\\x5c\\x5ch\\x5cdat\n> 1 smb.version:2\n> 1 smb.command:3\n"
		   "> 2 smb.named_pipe=\\x5c\\x5ch\\x5cipc$\n> 2 smb.version:2\n"
		   "> 2 smb.command:3\n");
}

static void files_of_version_2(void **state)
{
	struct script s;
	size_t from;

	start(&s);
	from = smb2(&s, 5, false, 1); /* create */
	put_zeros(&s.w, 44);
	writer_u16le(&s.w, 64 + 56);
	writer_u16le(&s.w, 10);
	put_zeros(&s.w, 8);
	put_wide(&s.w, "a.exe");
	say(&s, TO_SERVER, from);
	from = smb2(&s, 5, true, 1);
	put_zeros(&s.w, 64);
	put_file_id(&s.w);
	say(&s, TO_CLIENT, from);
	for (unsigned i = 0; i < 2; i++) {
		from = smb2(&s, 9, false, 2 + i); /* write */
		writer_u16le(&s.w, 49);
		writer_u16le(&s.w, 64 + 48);
		writer_u32le(&s.w, 5);
		writer_u64le(&s.w, 5 * i);
		put_file_id(&s.w);
		put_zeros(&s.w, 16);
		writer_text(&s.w, i ? "world" : "hello");
		say(&s, TO_SERVER, from);
	}
	from = smb2(&s, 8, false, 4); /* read */
	put_zeros(&s.w, 16);
	put_file_id(&s.w);
	say(&s, TO_SERVER, from);
	from = smb2(&s, 8, true, 4);
	writer_u16le(&s.w, 17);
	writer_u16le(&s.w, 64 + 16);
	writer_u32le(&s.w, 3);
	put_zeros(&s.w, 8);
	writer_text(&s.w, "abc");
	say(&s, TO_CLIENT, from);
	from = smb2(&s, 6, false, 5); /* close */
	put_zeros(&s.w, 8);
	put_file_id(&s.w);
	say(&s, TO_SERVER, from);
	play_check(APPLICATION_SMB, TRANSPORT_TCP, all, s.steps, s.count,
		   "> 0 smb.version:2\n> 0 smb.command:5\n"
		   "< 0 smb.version:2\n< 0 smb.command:5\n< 0 smb.ntstatus:0\n"
		   "> 1 smb.version:2\n> 1 smb.command:9\n"
		   "> 2 smb.version:2\n> 2 smb.command:9\n"
		   "> 3 smb.version:2\n> 3 smb.command:8\n"
		   "< 1 smb.version:2\n< 1 smb.command:8\n< 1 smb.ntstatus:0\n"
		   "> 4 file.name=a.exe\n> 4 file.data=helloworld\n> 4 filesize:10\n"
		   "< 2 file.name=a.exe\n< 2 file.data=abc\n< 2 filesize:3\n"
		   "> 5 smb.version:2\n> 5 smb.command:6\n");
}

static size_t smb1(struct script *s, uint8_t command, bool response, bool wide)
{
	size_t from = s->w.length;

	put_zeros(&s->w, 4);
	writer_text(&s->w, "\xffSMB");
	writer_u8(&s->w, command);
	writer_u32le(&s->w, 0);
	writer_u8(&s->w, response ? 0x80 : 0);
	writer_u16le(&s->w, wide ? 0x8000 : 0);
	put_zeros(&s->w, 20);
	return from;
}

static void put_call(struct writer *w)
{
	/* A bind and a request in one go. */
	writer_bytes(w, SLICE("\5\0\x0b\3\x10\0\0\0\x48\0\0\0\1\0\0\0"
			      "\xb8\x10\xb8\x10\0\0\0\0\1\0\0\0"
			      "\0\0\1\0\x81\xbb\x7a\x36\x44\x98\xf1\x35\xad\x32\x98\xf0\x38\0\x10\3"
			      "\2\0\0\0\4\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\0\x2b\x10\x48\x60"
			      "\2\0\0\0"));
	writer_bytes(w, SLICE("\5\0\0\3\x10\0\0\0\x1c\0\0\0\2\0\0\0\4\0\0\0\0\0\x0f\0stub"));
}

static void version_1_with_a_chain_and_a_pipe(void **state)
{
	struct script s;
	size_t from, at;

	start(&s);
	from = smb1(&s, 0x73, false, false); /* session setup and tree connect in one */
	writer_u8(&s.w, 13);
	writer_u8(&s.w, 0x75);
	writer_u8(&s.w, 0);
	writer_u16le(&s.w, 61);
	put_zeros(&s.w, 22);
	writer_u16le(&s.w, 0);
	writer_u8(&s.w, 4);
	writer_u8(&s.w, 0xff);
	writer_u8(&s.w, 0);
	writer_u16le(&s.w, 0);
	writer_u16le(&s.w, 0);
	writer_u16le(&s.w, 1);
	writer_u16le(&s.w, 16);
	writer_bytes(&s.w, SLICE("\0\\\\h\\C$\0?????\0"));
	say(&s, TO_SERVER, from);
	from = smb1(&s, 0x2f, false, true); /* write to a pipe */
	writer_u8(&s.w, 14);
	writer_u32le(&s.w, 0xff);
	writer_u16le(&s.w, 5);
	put_zeros(&s.w, 12);
	writer_u16le(&s.w, 0);
	writer_u16le(&s.w, 100);
	writer_u16le(&s.w, 64);
	writer_u32le(&s.w, 0);
	writer_u16le(&s.w, 101);
	writer_u8(&s.w, 0);
	at = s.w.length - from - 4;
	assert_int_equal(at, 64);
	put_call(&s.w);
	assert_int_equal(s.w.length - from - 4, 64 + 100);
	say(&s, TO_SERVER, from);
	play_check(APPLICATION_SMB, TRANSPORT_TCP, all, s.steps, s.count,
		   "> 0 smb.share=\\x5c\\x5ch\\x5cC$\n> 0 smb.version:1\n"
		   "> 0 smb.command:115\n> 0 smb.command:117\n"
		   "> 1 dce_stub_data=stub\n"
		   "> 1 dcerpc.interface=367abb81-9844-35f1-ad32-98f038001003\n"
		   "> 1 dce_opnum:15\n"
		   "> 2 smb.version:1\n> 2 smb.command:47\n");
}

static void found_again_after_a_gap(void **state)
{
	struct script s;
	size_t from;

	start(&s);
	from = smb2(&s, 0, false, 1);
	say(&s, TO_SERVER, from);
	s.steps[s.count++] = (struct play_step)LOST_CLIENT(1000);
	from = s.w.length;
	writer_text(&s.w, "rest of something");
	s.steps[s.count++] = (struct play_step){TO_SERVER, (const char *)s.room + from, 17, 0};
	from = smb2(&s, 13, false, 2);
	say(&s, TO_SERVER, from);
	play_check(APPLICATION_SMB, TRANSPORT_TCP, all, s.steps, s.count,
		   "> 0 smb.version:2\n> 0 smb.command:0\n"
		   "> 1 smb.version:2\n> 1 smb.command:13\n");
}

static void a_message_longer_than_what_is_kept(void **state)
{
	static uint8_t zeros[1 << 20];
	struct play play;
	struct script s;
	size_t from;
	const char *said;

	start(&s);
	from = smb2(&s, 9, false, 1);
	writer_u16le(&s.w, 49);
	writer_u16le(&s.w, 64 + 48);
	writer_u32le(&s.w, sizeof(zeros));
	writer_u64le(&s.w, 0);
	put_file_id(&s.w);
	put_zeros(&s.w, 16);
	s.room[from + 1] = (64 + 48 + sizeof(zeros)) >> 16;
	s.room[from + 3] = 64 + 48;
	play_start(&play, APPLICATION_SMB, TRANSPORT_TCP, all);
	play_bytes(&play, TO_SERVER, writer_slice(&s.w), 10000);
	play_bytes(&play, TO_SERVER, slice_of(zeros, sizeof(zeros)), 10000);
	from = smb2(&s, 13, false, 2);
	say(&s, TO_SERVER, from);
	play_bytes(&play, TO_SERVER, slice_of(s.steps[0].bytes, s.steps[0].length), 10000);
	said = play_end(&play);
	assert_non_null(strstr(said, "> 0 filesize:1048576\n"));
	assert_non_null(strstr(said, "> 2 smb.command:13\n"));
	play_free(&play);
}

static void garbage(void **state)
{
	struct script s;
	size_t from;

	start(&s);
	from = smb2(&s, 9, false, 1);
	writer_u16le(&s.w, 49);
	writer_u16le(&s.w, 64 + 48);
	writer_u32le(&s.w, 40);
	put_zeros(&s.w, 40);
	put_call(&s.w);
	say(&s, TO_SERVER, from);
	play_garbage(APPLICATION_SMB, TRANSPORT_TCP, writer_slice(&s.w));
	start(&s);
	from = smb1(&s, 0x73, false, true);
	writer_u8(&s.w, 12);
	put_zeros(&s.w, 24);
	writer_u16le(&s.w, 100);
	put_ntlmssp(&s.w);
	say(&s, TO_SERVER, from);
	play_garbage(APPLICATION_SMB, TRANSPORT_TCP, writer_slice(&s.w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_of_version_2),
		cmocka_unit_test(files_of_version_2),
		cmocka_unit_test(version_1_with_a_chain_and_a_pipe),
		cmocka_unit_test(found_again_after_a_gap),
		cmocka_unit_test(a_message_longer_than_what_is_kept),
		cmocka_unit_test(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
