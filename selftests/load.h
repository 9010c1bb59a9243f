/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mptcp_load: one end sends seeded pseudo-random data, the other end answers
 * with its own, and each checks what it got against the sender's checksum.
 *
 *	client			server
 *	struct load_request ->
 *			    <-	struct load_hello
 *	(second subflow comes up, the test may wait here)
 *	data, 8 byte sum    ->
 *			    <-	data (from the first byte above on)
 *			    <-	struct load_verdict (when both ways are done)
 *			    <-	FIN
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define LOAD_MAGIC	0x6d6c6221u
#define LOAD_CHUNK	16384

/* The server's limit on its rate ends with the client's data. */
#define LOAD_LIFT	0x1

struct load_request {
	uint32_t magic;
	uint32_t flags;
	uint64_t up;		/* bytes that the client will send */
	uint64_t down;		/* bytes that the server shall send */
	uint64_t seed;
	uint64_t rate;		/* bytes per second each way, 0: no limit */
};

struct load_hello {
	uint32_t magic;
	uint32_t id;		/* which server it is, see option -i */
};

struct load_verdict {
	uint64_t sum;		/* of the server's data */
	uint64_t up_ok;		/* client's data arrived unharmed */
};

struct load_options {
	struct sockaddr_storage addr;
	struct sockaddr_storage bind_addr;
	socklen_t addr_len;
	bool server;
	bool plain_tcp;
	bool wait_stdin;	/* hold the transfer until a line comes */
	bool lift_stdin;	/* limit the rate until a (further) line comes */
	bool half_close;
	bool fast_open;		/* data on the SYN */
	bool stamps;		/* the kernel stamps what it receives */
	const char *md5_key;	/* of TCP-MD5 (RFC 2385), with any peer */
	const char *ao_key;	/* of TCP-AO (RFC 5925), with any peer */
	uint32_t id;
	unsigned int connections;
	unsigned int second_ms;
	unsigned int total_ms;
	uint64_t up, down;
	uint64_t rate;
	uint64_t seed;
	unsigned int local_port;
	unsigned int gap_ms;
};

/* One way of a connection's data: what was sent or received of it so far. */
struct load_stream {
	uint64_t seed;
	uint64_t total;
	uint64_t done;
	uint64_t sum;
	uint64_t rate;
	uint64_t start_ms;
};

enum load_tx {
	LOAD_TX_OFF,		/* nothing but control records for now */
	LOAD_TX_DATA,
	LOAD_TX_END,		/* all data is with the kernel */
};

struct load_conn {
	int fd;
	bool open;
	bool eof;		/* the peer has shut down its way */
	bool want_out;		/* the kernel's buffer was full */
	uint32_t armed;		/* what epoll watches for now */
	bool paced;		/* the rate was reached */
	enum load_tx tx_state;
	struct load_stream tx, rx;
	uint8_t out[sizeof(struct load_request)];
	size_t out_len, out_done;
	uint8_t in[sizeof(struct load_request)];
	size_t in_len;
};

uint64_t load_now_ms(void);
int load_socket(const struct load_options *opt, int family);
int load_watch(int epfd, struct load_conn *c, uint32_t key);

void load_stream_init(struct load_stream *s, uint64_t seed, uint64_t total,
		      uint64_t rate);
void load_stream_fill(const struct load_stream *s, uint8_t *buf, size_t len);
void load_stream_took(struct load_stream *s, const uint8_t *buf, size_t len);
size_t load_stream_budget(const struct load_stream *s);

void load_queue(struct load_conn *c, const void *rec, size_t len);
int load_send(struct load_conn *c);
bool load_gather(struct load_conn *c, size_t want, const uint8_t **data,
		 size_t *len);

int load_client(const struct load_options *opt);
int load_server(const struct load_options *opt);
int load_probe(const struct load_options *opt, char **ports);

#endif
