// SPDX-License-Identifier: GPL-2.0
/*
 * A server whose threads block in what the kernel may have to wake them from.
 * It speaks to the client of mptcp_load as far as the greeting.
 *
 * Tells "accepted" when it has a connection for each of its arguments, and after
 * a first line on its standard input what each sees at its end. More than those it
 * accepts after a second line, "late", and tells what they see.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static const char usage[] =
"usage: mptcp_hold ADDR PORT WHAT...\n"
"  read      waits for data\n"
"  write     waits for room\n"
"  close     has closed, and data is still to be sent\n"
"  linger    waits in close() for that\n";

struct holder {
	pthread_t thread;
	const char *what;
	int fd;
};

static void tell(const char *what, const char *how, int error)
{
	printf("%s %s %s\n", what, how, error ? strerrorname_np(error) : "0");
	fflush(stdout);
}

/* What the client sent must not be unread: a close() would be a reset. */
static void greet(int fd)
{
	struct load_hello hello = { LOAD_MAGIC, 1 };
	struct load_request request;

	if (recv(fd, &request, sizeof(request), MSG_WAITALL) !=
		    sizeof(request) ||
	    send(fd, &hello, sizeof(hello), 0) != sizeof(hello))
		tell("greet", "failed", errno);
}

static ssize_t fill(int fd, int flags)
{
	static const char data[65536];
	ssize_t n;

	do {
		n = send(fd, data, sizeof(data), flags);
	} while (n > 0);
	return n;
}

static void *hold(void *arg)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 30 };
	const struct holder *h = arg;
	char buf[64];
	ssize_t n;

	if (!strcmp(h->what, "read")) {
		do {
			n = recv(h->fd, buf, sizeof(buf), 0);
		} while (n > 0);
		tell(h->what, n ? "error" : "end", n ? errno : 0);
		/* Nothing of it is left. */
		n = recv(h->fd, buf, sizeof(buf), MSG_DONTWAIT);
		tell(h->what, "again", n < 0 ? errno : 0);
		n = recv(h->fd, buf, sizeof(buf), MSG_DONTWAIT);
		tell(h->what, "then", n < 0 ? errno : 0);
	} else if (!strcmp(h->what, "write")) {
		fill(h->fd, 0);
		tell(h->what, "error", errno);
	} else {
		/* The client's window and all that it takes on the way. */
		for (int i = 0; i < 20; i++) {
			fill(h->fd, MSG_DONTWAIT);
			usleep(10000);
		}
		if (!strcmp(h->what, "linger"))
			setsockopt(h->fd, SOL_SOCKET, SO_LINGER, &linger,
				   sizeof(linger));
	}
	close(h->fd);
	tell(h->what, "closed", 0);
	return NULL;
}

static int listen_at(const char *addr, const char *port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(atoi(port)) };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(atoi(port)) };
	bool v6 = inet_pton(AF_INET6, addr, &in6.sin6_addr) == 1;
	int one = 1, fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM,
				 IPPROTO_MPTCP);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || (!v6 && inet_pton(AF_INET, addr, &in.sin_addr) != 1) ||
	    bind(fd, v6 ? (struct sockaddr *)&in6 : (struct sockaddr *)&in,
		 v6 ? sizeof(in6) : sizeof(in)) ||
	    listen(fd, 64)) {
		perror("mptcp_hold");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	int n = argc - 3, fd;
	struct holder *holders;
	char byte;

	if (n < 1) {
		fputs(usage, stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	holders = calloc(n, sizeof(*holders));
	fd = listen_at(argv[1], argv[2]);
	puts("listening");
	fflush(stdout);
	for (int i = 0; i < n; i++) {
		holders[i].what = argv[3 + i];
		holders[i].fd = accept(fd, NULL, NULL);
		greet(holders[i].fd);
	}
	puts("accepted");
	fflush(stdout);
	/* The client stands still then. */
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return 1;
	for (int i = 0; i < n; i++)
		pthread_create(&holders[i].thread, NULL, hold, &holders[i]);
	for (int i = 0; i < n; i++)
		pthread_join(holders[i].thread, NULL);
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return 1;
	for (;;) {
		int late = accept(fd, NULL, NULL);
		ssize_t got;

		greet(late);
		tell("late", "greeted", 0);
		do {
			got = recv(late, &byte, 1, 0);
		} while (got > 0);
		tell("late", "end", got < 0 ? errno : 0);
		close(late);
	}
}
