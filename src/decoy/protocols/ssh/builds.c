/* Builds of OpenSSH, as captured from the running programs; see builds.h. */
#include "decoy/protocols/ssh/builds.h"

#define STRICT ",kex-strict-s-v00@openssh.com" /* security updates since December 2023 */

#define NIST "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521"
#define MODERN_GROUPS                                                         \
	"diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512," \
	"diffie-hellman-group18-sha512,diffie-hellman-group14-sha256"
#define CURVE "curve25519-sha256,curve25519-sha256@libssh.org"

#define MODERN_CIPHERS                                                    \
	"chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr," \
	"aes128-gcm@openssh.com,aes256-gcm@openssh.com"
#define MODERN_MACS                                                                       \
	"umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com," \
	"hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,"    \
	"umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512,hmac-sha1"

#define KEYS_9_2                                                                          \
	"ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384," \
	"ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com,"                         \
	"rsa-sha2-512,rsa-sha2-256"
#define KEYS_8_4                                                                     \
	"ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"               \
	"sk-ecdsa-sha2-nistp256@openssh.com,ssh-ed25519,sk-ssh-ed25519@openssh.com," \
	"rsa-sha2-512,rsa-sha2-256,ssh-rsa"

static const struct ssh_build builds[] = {
	{
		.name = "9.2p1-debian12",
		.banner = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10",
		.kex = "sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com," CURVE "," NIST
		       "," MODERN_GROUPS STRICT,
		.host_keys = "rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256,ssh-ed25519",
		.ciphers = MODERN_CIPHERS,
		.macs = MODERN_MACS,
		.compression = "none,zlib@openssh.com",
		.signatures = "ssh-ed25519,sk-ssh-ed25519@openssh.com,ecdsa-sha2-nistp256,"
			      "ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
			      "sk-ecdsa-sha2-nistp256@openssh.com,"
			      "webauthn-sk-ecdsa-sha2-nistp256@openssh.com,ssh-dss,ssh-rsa,"
			      "rsa-sha2-256,rsa-sha2-512",
		.hostbound = true,
		.hostkeys_prove = true,
		.tells_dropped = true,
		.dh_minimum = 2048,
		.accepted_keys = KEYS_9_2,
	},
	{
		.name = "8.4p1-debian11",
		.banner = "SSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u7",
		.kex = CURVE "," NIST "," MODERN_GROUPS STRICT,
		.host_keys = "rsa-sha2-512,rsa-sha2-256,ssh-rsa,ecdsa-sha2-nistp256,ssh-ed25519",
		.ciphers = MODERN_CIPHERS,
		.macs = MODERN_MACS,
		.compression = "none,zlib@openssh.com",
		.signatures = "ssh-ed25519,sk-ssh-ed25519@openssh.com,ssh-rsa,rsa-sha2-256,"
			      "rsa-sha2-512,ssh-dss,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
			      "ecdsa-sha2-nistp521,sk-ecdsa-sha2-nistp256@openssh.com,"
			      "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
		.hostkeys_prove = true,
		.status_first = true,
		.tells_dropped = true,
		.dh_minimum = 2048,
		.accepted_keys = KEYS_8_4,
	},
	{
		.name = "6.0p1-debian7",
		.banner = "SSH-2.0-OpenSSH_6.0p1 Debian-4+deb7u7",
		.kex = NIST ",diffie-hellman-group-exchange-sha256,"
			    "diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,"
			    "diffie-hellman-group1-sha1",
		.host_keys = "ssh-rsa,ecdsa-sha2-nistp256",
		.ciphers = "aes128-ctr,aes192-ctr,aes256-ctr,arcfour256,arcfour128,aes128-cbc,"
			   "3des-cbc,blowfish-cbc,cast128-cbc,aes192-cbc,aes256-cbc,arcfour,"
			   "rijndael-cbc@lysator.liu.se",
		.macs = "hmac-md5,hmac-sha1,umac-64@openssh.com,hmac-sha2-256,hmac-sha2-256-96,"
			"hmac-sha2-512,hmac-sha2-512-96,hmac-ripemd160,"
			"hmac-ripemd160@openssh.com,hmac-sha1-96,hmac-md5-96",
		.compression = "none,zlib@openssh.com",
		.old_mismatch = true,
		.status_first = true,
		.old_groups = true,
		.dh_minimum = 1024,
		.accepted_keys = "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
				 "ssh-rsa",
	},
};

const struct ssh_build *ssh_build_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(builds); i++) {
		if (slice_is(slice_text(name), builds[i].name))
			return &builds[i];
	}
	return NULL;
}
