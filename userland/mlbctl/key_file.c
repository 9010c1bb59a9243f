// SPDX-License-Identifier: GPL-2.0
/* The cluster key from its file, if nobody else could read or change it. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "key_file.h"

/* The user that mlbd.service runs as. */
#define DAEMON_USER "mlb"

static bool trusted_owner(uid_t uid)
{
	const struct passwd *daemon;

	if (uid == geteuid() || uid == 0)
		return true;
	daemon = geteuid() == 0 ? getpwnam(DAEMON_USER) : NULL;
	return daemon && uid == daemon->pw_uid;
}

static const char *check_file(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (st->st_mode & (S_IRGRP | S_IROTH))
		return "can be read by others: chmod 600 it, and make a new key if it ever was";
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return "can be written by others: chmod 600 it";
	if (!trusted_owner(st->st_uid))
		return "belongs to another user";
	return NULL;
}

/* Up to one byte more than a key may have, to see that there is none. */
static const char *read_key(int fd, uint8_t buf[MLB_KEY_LEN_MAX + 1],
			    size_t *len)
{
	*len = 0;
	while (*len <= MLB_KEY_LEN_MAX) {
		ssize_t n = read(fd, buf + *len, MLB_KEY_LEN_MAX + 1 - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return strerror(errno);
		if (!n)
			break;
		*len += (size_t)n;
	}
	if (*len < MLB_KEY_LEN_MIN)
		return "has less than 16 bytes";
	if (*len > MLB_KEY_LEN_MAX)
		return "has more than 64 bytes";
	return NULL;
}

/*
 * Looks at the open file and not at the path, which could name another one by
 * then. O_NONBLOCK: opening a FIFO must not wait for its writer.
 */
const char *key_file_read(const char *path, uint8_t key[MLB_KEY_LEN_MAX],
			  size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	uint8_t buf[MLB_KEY_LEN_MAX + 1];
	const char *wrong = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		wrong = strerror(errno);
	else
		wrong = check_file(&st);
	if (!wrong)
		wrong = read_key(fd, buf, len);
	if (fd >= 0)
		close(fd);
	if (!wrong)
		memcpy(key, buf, *len);
	explicit_bzero(buf, sizeof(buf));
	return wrong;
}
