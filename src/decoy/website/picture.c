/* Pictures that the installation decides; see picture.h. */
#include "decoy/website/picture.h"

#include <zlib.h>

/* --- the favicon: a 16 by 16 picture whose colours and pattern the installation decides --- */

#define ICON_SIDE 16

void picture_favicon(struct writer *out, const struct persona *persona)
{
	uint8_t draw[16];
	const uint32_t pixels = ICON_SIDE * ICON_SIDE * 4, mask = ICON_SIDE * 4;

	persona_derive(persona, "website.favicon", draw, sizeof(draw));
	writer_u16le(out, 0);
	writer_u16le(out, 1); /* an icon */
	writer_u16le(out, 1); /* of one picture */
	writer_u8(out, ICON_SIDE);
	writer_u8(out, ICON_SIDE);
	writer_u16le(out, 0);
	writer_u16le(out, 1);
	writer_u16le(out, 32);
	writer_u32le(out, 40 + pixels + mask);
	writer_u32le(out, 22);
	writer_u32le(out, 40); /* BITMAPINFOHEADER */
	writer_u32le(out, ICON_SIDE);
	writer_u32le(out, 2 * ICON_SIDE);
	writer_u16le(out, 1);
	writer_u16le(out, 32);
	writer_u32le(out, 0);
	writer_u32le(out, pixels + mask);
	for (int i = 0; i < 4; i++)
		writer_u32le(out, 0);
	for (unsigned y = 0; y < ICON_SIDE; y++) {
		for (unsigned x = 0; x < ICON_SIDE; x++) {
			/* Blocks of four, mirrored left to right as monograms are. */
			unsigned half = x < ICON_SIDE / 2 ? x : ICON_SIDE - 1 - x;
			unsigned bit = y / 2 * 4 + half / 2;
			const uint8_t *colour =
				draw[bit / 8] >> (bit % 8) & 1 ? draw + 8 : draw + 11;

			writer_bytes(out, slice_of(colour, 3));
			writer_u8(out, 255);
		}
	}
	for (uint32_t i = 0; i < mask; i++)
		writer_u8(out, 0);
}

/* --- the picture of IIS's first page: tiles of one hue, 960 by 600, as a PNG with a palette --- */

#define WELCOME_WIDTH  960
#define WELCOME_HEIGHT 600
#define TILE           120 /* side of a tile, in pixels */
#define GAP            6   /* between two */
#define COLOURS        16
#define SEED           64 /* a byte for each tile and for the colours */

static void write_chunk(struct writer *out, const char *type, struct slice data)
{
	size_t start = out->length + 4;

	writer_u32be(out, (uint32_t)data.length);
	writer_text(out, type);
	writer_bytes(out, data);
	if (!out->failed)
		writer_u32be(out, (uint32_t)crc32(0, out->at + start, (uInt)(data.length + 4)));
}

/* One line of pixels with PNG's filter byte before it. */
static void draw_line(struct writer *out, unsigned y, const uint8_t seed[SEED])
{
	writer_u8(out, 0);
	for (unsigned x = 0; x < WELCOME_WIDTH; x++) {
		unsigned tile = y / TILE * (WELCOME_WIDTH / TILE) + x / TILE;
		bool gap = x % TILE < GAP || y % TILE < GAP;

		writer_u8(out, gap ? 0 : (uint8_t)(1 + seed[tile] % (COLOURS - 1)));
	}
}

static void write_palette(struct writer *out, const uint8_t seed[SEED])
{
	uint8_t colours[3 * COLOURS];

	for (unsigned i = 0; i < COLOURS; i++) {
		for (unsigned part = 0; part < 3; part++)
			colours[3 * i + part] =
				(uint8_t)((seed[SEED - 1 - part] & 0x7f) + (i ? 8 * i : 0));
	}
	write_chunk(out, "PLTE", slice_of(colours, sizeof(colours)));
}

void picture_welcome(struct writer *out, const struct persona *persona)
{
	struct writer head = writer_growing(32), pixels = writer_growing(1u << 20),
		      data = writer_growing(1u << 20);
	uint8_t seed[SEED], *packed;
	uLongf length;

	persona_derive(persona, "website.welcome", seed, sizeof(seed));
	writer_u32be(&head, WELCOME_WIDTH);
	writer_u32be(&head, WELCOME_HEIGHT);
	writer_u8(&head, 8); /* bits */
	writer_u8(&head, 3); /* a palette */
	writer_u8(&head, 0);
	writer_u16be(&head, 0);
	writer_bytes(out, SLICE("\x89PNG\r\n\x1a\n"));
	write_chunk(out, "IHDR", writer_slice(&head));
	write_palette(out, seed);
	for (unsigned y = 0; y < WELCOME_HEIGHT; y++)
		draw_line(&pixels, y, seed);
	length = compressBound((uLong)pixels.length);
	packed = writer_reserve(&data, length);
	if (packed && compress2(packed, &length, pixels.at, (uLong)pixels.length, 9) == Z_OK)
		writer_commit(&data, length);
	write_chunk(out, "IDAT", writer_slice(&data));
	write_chunk(out, "IEND", slice_of(NULL, 0));
	writer_free(&data);
	writer_free(&head);
	writer_free(&pixels);
}
